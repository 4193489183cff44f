#include "config.h"

#include "name.h"

#include <stdio.h>
#include <string.h>

static int is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int is_word(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A part of a name: starts and ends with a letter or digit, so "." and ".." cannot be one. */
static size_t part_length(const char *s)
{
	size_t n = 0;

	while (is_lower_alnum(s[n]) || s[n] == '.' || s[n] == '_' || s[n] == '-')
		n++;
	if (n == 0 || !is_lower_alnum(s[0]) || !is_lower_alnum(s[n - 1]))
		return 0;
	return n;
}

static size_t tag_length(const char *s)
{
	size_t n = 0;

	while (is_word(s[n]) || s[n] == '.' || s[n] == '-')
		n++;
	if (n == 0 || n > 128 || !is_word(s[0]))
		return 0;
	return n;
}

int name_check(const char *ref, char *out, struct err *e)
{
	const char *s = ref;
	const char *tag = NULL;
	size_t n;

	if (strnlen(ref, NAME_MAX_LEN + 1) > NAME_MAX_LEN)
		return err_set(e, 0, "image name '%.32s...' is longer than %d bytes", ref, NAME_MAX_LEN);
	if (!*ref)
		return err_set(e, 0, "image name is empty: say for example --container=debian:12");
	for (;;) {
		n = part_length(s);
		if (!n)
			goto bad;
		s += n;
		if (*s != '/')
			break;
		s++;
	}
	if (*s == ':') {
		tag = ++s;
		n = tag_length(s);
		if (!n)
			goto bad;
		s += n;
	}
	if (*s)
		goto bad;
	snprintf(out, NAME_FULL_SIZE, "%s%s", ref, tag ? "" : ":latest");
	return 0;
bad:
	return err_set(e, 0, "image name '%.64s' is not valid at '%.16s': it is NAME[:TAG] in lower case, "
		"for example debian:12 or lab/tools:2.4", ref, s);
}

int digest_is_valid(const char *text, char sep)
{
	if (strncmp(text, "sha256", 6) || text[6] != sep || strlen(text) != DIGEST_LEN)
		return 0;
	for (const char *c = text + 7; *c; c++)
		if (!((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'f')))
			return 0;
	return 1;
}

int node_name_is_valid(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > 64 || text[0] == '.')
		return 0;
	for (; *text; text++)
		if (!is_word(*text) && *text != '.' && *text != '-')
			return 0;
	return 1;
}
