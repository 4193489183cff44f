#include "config.h"

#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *what, ...)
{
	va_list ap;
	size_t used;

	e->code = code;
	va_start(ap, what);
	vsnprintf(e->text, sizeof(e->text), what, ap);
	va_end(ap);
	used = strlen(e->text);
	if (code)
		snprintf(e->text + used, sizeof(e->text) - used, ": %s", strerror(code));
	return -1;
}

int err_wrap(struct err *e, const char *context, ...)
{
	char inner[ERR_TEXT_SIZE];
	va_list ap;
	size_t used;

	memcpy(inner, e->text, sizeof(inner));
	va_start(ap, context);
	vsnprintf(e->text, sizeof(e->text), context, ap);
	va_end(ap);
	used = strlen(e->text);
	snprintf(e->text + used, sizeof(e->text) - used, ": %s", inner);
	return -1;
}

void err_sanitize(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c >= 0x7f)
			*c = '?';
}
