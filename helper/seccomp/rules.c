#include "config.h"

#include "rules.h"

#include <errno.h>
#include <string.h>

#define MAX_ARGS 6

int rules_action(const char *name, const json_t *error, uint32_t *action, struct err *e)
{
	static const struct { const char *name; uint32_t action; } actions[] = {
		{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW }, { "SCMP_ACT_LOG", SCMP_ACT_LOG },
		{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP }, { "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD }, { "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	};
	json_int_t number = error ? json_integer_value(error) : EPERM;

	if (error && (!json_is_integer(error) || number < 0 || number > 4095))
		return err_set(e, 0, "errnoRet is a number from 0 to 4095");
	if (name && !strcmp(name, "SCMP_ACT_ERRNO")) {
		*action = SCMP_ACT_ERRNO(number);
		return 0;
	}
	for (size_t i = 0; name && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(name, actions[i].name)) {
			*action = actions[i].action;
			return 0;
		}
	return err_set(e, 0, "action '%.40s' is not one that slxc has", name ? name : "");
}

static int is_denial(uint32_t action)
{
	return action != SCMP_ACT_ALLOW && action != SCMP_ACT_LOG;
}

static int read_op(const char *name, enum scmp_compare *op)
{
	static const struct { const char *name; enum scmp_compare op; } ops[] = {
		{ "SCMP_CMP_NE", SCMP_CMP_NE }, { "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_LE", SCMP_CMP_LE },
		{ "SCMP_CMP_EQ", SCMP_CMP_EQ }, { "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT },
		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	};

	for (size_t i = 0; name && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(name, ops[i].name)) {
			*op = ops[i].op;
			return 0;
		}
	return -1;
}

/* Reads "args". Returns how many, or -1. */
static int read_args(const json_t *args, struct scmp_arg_cmp out[MAX_ARGS], struct err *e)
{
	size_t n = json_array_size(args);

	if (args && !json_is_null(args) && !json_is_array(args))
		return err_set(e, 0, "args is an array");
	if (n > MAX_ARGS)
		return err_set(e, 0, "more than %d args", MAX_ARGS);
	for (size_t i = 0; i < n; i++) {
		const json_t *a = json_array_get(args, i), *key, *v;
		const char *name;
		enum scmp_compare op;

		json_object_foreach((json_t *)a, name, key)
			if (strcmp(name, "index") && strcmp(name, "value") && strcmp(name, "valueTwo") && strcmp(name, "op"))
				return err_set(e, 0, "unknown key '%.40s' in args", name);
		key = json_object_get(a, "index");
		v = json_object_get(a, "value");
		if (!json_is_integer(key) || json_integer_value(key) < 0 || json_integer_value(key) >= MAX_ARGS || !json_is_integer(v) ||
		    read_op(json_string_value(json_object_get(a, "op")), &op) < 0)
			return err_set(e, 0, "an entry of args needs index (0 to 5), value and op (SCMP_CMP_...)");
		out[i] = (struct scmp_arg_cmp){
			.arg = json_integer_value(key), .op = op, .datum_a = json_integer_value(v),
			.datum_b = json_integer_value(json_object_get(a, "valueTwo")),
		};
	}
	return n;
}

/* libseccomp wants every argument at most once in a rule; as in runc, the entries are alternatives then. */
static int is_repeated(const struct scmp_arg_cmp *args, int n)
{
	unsigned seen = 0;

	for (int i = 0; i < n; i++) {
		if (seen & (1u << args[i].arg))
			return 1;
		seen |= 1u << args[i].arg;
	}
	return 0;
}

static int add_call(struct rules *r, int number, const struct scmp_arg_cmp *args, int n, uint32_t action)
{
	int except = n > 0 && is_denial(action);
	scmp_filter_ctx where = except ? r->except : r->main;
	int rc = 0;

	if (!except && action == r->default_action)
		return 0;
	if (!is_repeated(args, n))
		return seccomp_rule_add_array(where, action, number, n, args);
	for (int i = 0; i < n && rc == 0; i++)
		rc = seccomp_rule_add_array(where, action, number, 1, &args[i]);
	return rc;
}

static void note_unknown(struct notes *notes, const char *name)
{
	size_t used = strlen(notes->names), n = strlen(name);

	notes->unknown++;
	if (used + n + 2 > sizeof(notes->names))
		return;
	if (used)
		notes->names[used++] = ' ';
	memcpy(notes->names + used, name, n + 1);
}

int rules_add(struct rules *r, const json_t *names, const json_t *args, uint32_t action, struct err *e)
{
	struct scmp_arg_cmp compare[MAX_ARGS] = { { 0 } };
	int n = read_args(args, compare, e);
	const json_t *item;
	size_t i;

	if (n < 0)
		return -1;
	json_array_foreach(names, i, item) {
		const char *name = json_string_value(item);
		int number, rc;

		if (!name)
			return err_set(e, 0, "names are strings");
		number = seccomp_syscall_resolve_name(name);
		if (number == __NR_SCMP_ERROR) {
			/* in a list of what is denied a call that is not understood must not be let through */
			if (is_denial(action) && !is_denial(r->default_action))
				return err_set(e, 0, "system call '%.60s' is not known to this libseccomp, and would be allowed", name);
			note_unknown(r->notes, name);
			continue;
		}
		rc = add_call(r, number, compare, n, action);
		if (rc < 0)
			return err_set(e, -rc, "%s", name);
	}
	return 0;
}
