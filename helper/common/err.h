/*
 * The one error type. The caller owns it, nothing is allocated. A function that
 * fails says what it was doing with err_set() and returns -1; those above add
 * the larger thing with err_wrap(). Any privilege may call these.
 */
#ifndef SLXC_ERR_H
#define SLXC_ERR_H

#define ERR_TEXT_SIZE 512

struct err {
	int code;                 /* an errno value; 0: refused without one */
	char text[ERR_TEXT_SIZE]; /* one line, no newline at its end */
};

/* Sets "what: strerror(code)", or only "what" when code is 0. Returns -1. */
int err_set(struct err *e, int code, const char *what, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the text. Returns -1. */
int err_wrap(struct err *e, const char *context, ...) __attribute__((format(printf, 2, 3)));

/*
 * Makes text from outside fit for a log or a terminal: control characters,
 * DEL and bytes outside ASCII become '?'. In place; the one point where this
 * is done is where text leaves slxc (err_print, log_line, the plugin's report).
 */
void err_sanitize(char *text);

#endif
