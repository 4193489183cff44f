#include "config.h"

#include "mounts.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "path.h"

#define OPTION "--container-mounts"

/* One entry, cut at its colons; the texts are not ended by NUL. */
struct fields {
	unsigned n;
	struct { const char *text; size_t length; } field[3];
};

static int split(const char *text, size_t length, struct fields *f, struct err *e)
{
	const char *end = text + length;

	*f = (struct fields){ .field = { { "", 0 }, { "", 0 }, { "", 0 } } };
	for (;;) {
		size_t n = strcspn(text, ":,");

		if (f->n == 3 || n == 0) {
			err_set(e, 0, OPTION "=%.*s is not SOURCE:TARGET[:FLAG+FLAG]", (int)length, end - length);
			return -1; /* in so many words for clang's analyzer */
		}
		f->field[f->n].text = text;
		f->field[f->n++].length = n;
		text += n;
		if (text == end)
			return 0;
		text++; /* a colon */
	}
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return length == strlen(word) && !memcmp(text, word, length);
}

static bool is_special(const struct fields *f)
{
	return is_word(f->field[0].text, f->field[0].length, "tmpfs") || is_word(f->field[0].text, f->field[0].length, "umount");
}

/* Flags that a bind mount, or a tmpfs, may have. A user gains nothing by suid, dev or exec, so they are no flags here. */
static int check_flag(const char *flag, size_t length, bool is_tmpfs, struct err *e)
{
	static const char *const any[] = {
		"ro", "rw", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime", "strictatime",
		"private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable", NULL,
	};
	static const char *const bind[] = { "bind", "rbind", "x-create=auto", "x-create=dir", "x-create=file", NULL };
	static const char *const tmpfs[] = { "size=", "mode=", "nr_inodes=", NULL };

	for (const char *const *f = any; *f; f++)
		if (is_word(flag, length, *f))
			return 0;
	for (const char *const *f = bind; *f && !is_tmpfs; f++)
		if (is_word(flag, length, *f))
			return 0;
	for (const char *const *f = tmpfs; *f && is_tmpfs; f++) {
		size_t n = strlen(*f);

		if (length <= n || strncmp(flag, *f, n))
			continue;
		while (n < length && (isalnum((unsigned char)flag[n]) || flag[n] == '%'))
			n++;
		if (n == length)
			return 0;
	}
	return err_set(e, 0, OPTION ": unknown flag '%.*s'%s: see spank_slxc(8)", (int)(length < 40 ? length : 40), flag,
		is_tmpfs ? " of a tmpfs" : "");
}

/* "ro+nosuid" becomes "ro,nosuid". */
static int copy_flags(char *out, size_t size, const char *text, size_t length, bool is_tmpfs, struct err *e)
{
	const char *end = text + length;

	if (length >= size)
		return err_set(e, 0, OPTION ": too many flags: '%.40s...'", text);
	memcpy(out, text, length);
	out[length] = 0;
	while (text < end) {
		const char *plus = memchr(text, '+', end - text);
		size_t n = (plus ? plus : end) - text;

		if (check_flag(text, n, is_tmpfs, e) < 0)
			return -1;
		text += n + (plus != NULL);
	}
	for (; *out; out++)
		if (*out == '+')
			*out = ',';
	return 0;
}

static int check_target(const char *target, struct err *e)
{
	static const char *const kept[] = { "/", "/proc", "/dev", "/sys", NULL };

	for (const char *const *k = kept; *k; k++)
		if (path_is_below(target, *k) && path_is_below(*k, target))
			return err_set(e, 0, OPTION ": nothing can be mounted on %s itself", *k);
	if (path_is_below(target, "/proc") || path_is_below(target, "/dev/.slxc-init"))
		return err_set(e, 0, OPTION ": nothing can be mounted on %.200s", target);
	return 0;
}

static int copy_path(char *out, const char *text, size_t length, const char *what, struct err *e)
{
	if (length >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, OPTION ": %s %.64s...", what, text);
	memcpy(out, text, length);
	out[length] = 0;
	for (const char *c = out; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(e, 0, OPTION ": %s '%.100s' holds a control character", what, out);
	if (!path_is_clean(out))
		return err_set(e, 0, OPTION ": %s '%.100s' must be a path (it begins with / or ./)%s", what, out,
			strcmp(what, "source") ? "" : ", tmpfs or umount");
	return 0;
}

static int read_entry(const char *text, size_t length, struct mount_entry *m, struct err *e)
{
	struct fields f;
	bool is_tmpfs;

	if (split(text, length, &f, e) < 0)
		return -1;
	is_tmpfs = is_word(f.field[0].text, f.field[0].length, "tmpfs");
	m->kind = is_tmpfs ? MOUNT_TMPFS : is_special(&f) ? MOUNT_UMOUNT : MOUNT_BIND;
	m->source[0] = m->flags[0] = 0;
	if (m->kind != MOUNT_BIND && f.n < 2)
		return err_set(e, 0, OPTION "=%.*s: say where: %.*s:TARGET", (int)length, text, (int)length, text);
	if (m->kind == MOUNT_UMOUNT && f.n > 2)
		return err_set(e, 0, OPTION "=%.*s: umount takes no flags", (int)length, text);
	if (m->kind == MOUNT_BIND && copy_path(m->source, f.field[0].text, f.field[0].length, "source", e) < 0)
		return -1;
	if (copy_path(m->target, f.field[f.n > 1].text, f.field[f.n > 1].length, "target", e) < 0 ||
	    (m->kind != MOUNT_UMOUNT && check_target(m->target, e) < 0))
		return -1;
	return f.n < 3 ? 0 : copy_flags(m->flags, sizeof(m->flags), f.field[2].text, f.field[2].length, is_tmpfs, e);
}

int mounts_next(const char **text, struct mount_entry *m, struct err *e)
{
	size_t length = strcspn(*text, ",");

	if (!**text)
		return 0;
	if (read_entry(*text, length, m, e) < 0)
		return -1;
	*text += length;
	if (**text == ',' && !*++*text)
		return err_set(e, 0, OPTION " ends with a comma");
	return 1;
}

bool mount_has_flag(const struct mount_entry *m, const char *flag)
{
	for (const char *f = m->flags; *f; f += f[0] == ',') {
		size_t n = strcspn(f, ",");

		if (is_word(f, n, flag))
			return true;
		f += n;
	}
	return false;
}

int mounts_check(const char *text, struct err *e)
{
	struct mount_entry m;
	unsigned n = 0;
	int rc;

	if (strlen(text) >= MOUNTS_TEXT_SIZE)
		return err_set(e, 0, OPTION " is longer than %d bytes", MOUNTS_TEXT_SIZE - 1);
	while ((rc = mounts_next(&text, &m, e)) > 0)
		if (++n > MOUNTS_MAX)
			return err_set(e, 0, OPTION " has more than %d entries", MOUNTS_MAX);
	return rc;
}

/* ---- what the user typed */

struct text {
	char *out;
	size_t used;
	bool full;
};

static void put(struct text *t, const char *text, size_t length)
{
	if (t->used + length >= MOUNTS_TEXT_SIZE) {
		t->full = true;
		return;
	}
	memcpy(t->out + t->used, text, length);
	t->used += length;
	t->out[t->used] = 0;
}

/* A path of the user's, absolute. One that begins with a variable is known only on the node. */
static int put_path(struct text *t, const char *path, size_t length, const char *base, struct err *e)
{
	char copy[PATH_MAX], clean[PATH_MAX];

	if (length >= sizeof(copy))
		return err_set(e, ENAMETOOLONG, OPTION ": %.64s...", path);
	memcpy(copy, path, length);
	copy[length] = 0;
	if (copy[0] == '$') {
		put(t, copy, length);
	} else if (copy[0] == '~' && (!copy[1] || copy[1] == '/')) {
		put(t, "$HOME", 5);
		put(t, copy + 1, length - 1);
	} else if (copy[0] != '/' && copy[0] != '.') {
		return err_set(e, 0, OPTION ": '%.100s' must begin with / or ./ or ~/, or be tmpfs or umount", copy);
	} else if (path_join(base, copy, clean) < 0) {
		return err_set(e, ENAMETOOLONG, OPTION ": %.64s...", copy);
	} else {
		put(t, clean, strlen(clean));
	}
	return 0;
}

static int put_entry(struct text *t, const char *entry, size_t length, const char *cwd, struct err *e)
{
	struct fields f;

	if (split(entry, length, &f, e) < 0)
		return -1;
	if (is_special(&f))
		put(t, f.field[0].text, f.field[0].length);
	else if (put_path(t, f.field[0].text, f.field[0].length, cwd, e) < 0)
		return -1;
	if (f.n == 1)
		return 0;
	put(t, ":", 1);
	if (put_path(t, f.field[1].text, f.field[1].length, "/", e) < 0)
		return -1;
	if (f.n == 3) {
		put(t, ":", 1);
		put(t, f.field[2].text, f.field[2].length);
	}
	return 0;
}

/* For the check of an entry whose variables are not known yet. */
static const char *any_value(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return "/x";
}

int mounts_from_user(const char *text, const char *cwd, char *out, struct err *e)
{
	struct text t = { .out = out };
	char expanded[MOUNTS_TEXT_SIZE];

	out[0] = 0;
	if (!*text)
		return err_set(e, 0, OPTION " is empty: it is SOURCE:TARGET[:FLAG+FLAG][,...]");
	for (;;) {
		size_t length = strcspn(text, ",");

		if (put_entry(&t, text, length, cwd, e) < 0)
			return -1;
		text += length;
		if (!*text)
			break;
		put(&t, ",", 1);
		text++;
	}
	if (t.full)
		return err_set(e, 0, OPTION " is longer than %d bytes", MOUNTS_TEXT_SIZE - 1);
	if (mounts_expand(out, any_value, NULL, expanded, e) < 0)
		return -1;
	return mounts_check(expanded, e);
}

int mounts_expand(const char *text, const char *(*value)(void *arg, const char *name), void *arg, char *out,
	struct err *e)
{
	struct text t = { .out = out };

	out[0] = 0;
	while (*text) {
		size_t n = strcspn(text, "$");
		bool brace;
		char name[128];
		const char *v;

		put(&t, text, n);
		text += n;
		if (!*text)
			break;
		brace = text[1] == '{';
		text += 1 + brace;
		for (n = 0; isalnum((unsigned char)text[n]) || text[n] == '_'; n++)
			;
		if (n == 0 || n >= sizeof(name) || isdigit((unsigned char)*text) || (brace && text[n] != '}'))
			return err_set(e, 0, OPTION ": '$%.40s' is not $NAME or ${NAME}", text - brace);
		memcpy(name, text, n);
		name[n] = 0;
		text += n + brace;
		v = value(arg, name);
		if (!v)
			return err_set(e, 0, OPTION ": the variable %s is not set in the job", name);
		if (!*v || strpbrk(v, ",:"))
			return err_set(e, 0, OPTION ": the value of %s ('%.64s') is not a path", name, v);
		put(&t, v, strlen(v));
	}
	return t.full ? err_set(e, 0, OPTION " is longer than %d bytes", MOUNTS_TEXT_SIZE - 1) : 0;
}
