#include "config.h"

#include "policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/filter.h"
#include "common/io.h"
#include "rules.h"

static const struct arch {
	const char *oci, *docker;
	uint32_t token;
} archs[] = {
	{ "SCMP_ARCH_X86_64", "amd64", SCMP_ARCH_X86_64 }, { "SCMP_ARCH_X86", "386", SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X32", "x32", SCMP_ARCH_X32 }, { "SCMP_ARCH_AARCH64", "arm64", SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_ARM", "arm", SCMP_ARCH_ARM }, { "SCMP_ARCH_PPC64LE", "ppc64le", SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_S390X", "s390x", SCMP_ARCH_S390X }, { "SCMP_ARCH_S390", "s390", SCMP_ARCH_S390 },
	{ "SCMP_ARCH_RISCV64", "riscv64", SCMP_ARCH_RISCV64 }, { "SCMP_ARCH_PPC64", "ppc64", SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC", "ppc", SCMP_ARCH_PPC }, { "SCMP_ARCH_MIPS", "mips", SCMP_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", "mips64", SCMP_ARCH_MIPS64 }, { "SCMP_ARCH_MIPS64N32", "mips64n32", SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", "mipsle", SCMP_ARCH_MIPSEL }, { "SCMP_ARCH_MIPSEL64", "mips64le", SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", "mips64n32le", SCMP_ARCH_MIPSEL64N32 },
};
#define N_ARCHS (sizeof(archs) / sizeof(archs[0]))

void machine_here(struct machine *m, const char *const *caps)
{
	uint32_t native = seccomp_arch_native();
	struct utsname u;

	*m = (struct machine){ .arch = "", .caps = caps };
	if (uname(&u) == 0)
		sscanf(u.release, "%u.%u", &m->kernel[0], &m->kernel[1]);
	for (size_t i = 0; i < N_ARCHS; i++)
		if (archs[i].token == native)
			m->arch = archs[i].docker;
}

static const struct arch *find_arch(const json_t *name)
{
	const char *text = json_string_value(name);

	for (size_t i = 0; text && i < N_ARCHS; i++)
		if (!strcmp(archs[i].oci, text))
			return &archs[i];
	return NULL;
}

static int add_arch(struct rules *r, const json_t *name, struct err *e)
{
	const struct arch *a = find_arch(name);
	int rc;

	if (!a)
		return err_set(e, 0, "unknown architecture '%.40s'", json_is_string(name) ? json_string_value(name) : "");
	rc = seccomp_arch_add(r->main, a->token);
	if (rc == 0 || rc == -EEXIST)
		rc = seccomp_arch_add(r->except, a->token);
	/* another byte order or word size: nothing of this machine */
	if (rc == -EEXIST || rc == -EDOM)
		rc = 0;
	return rc < 0 ? err_set(e, -rc, "architecture %s", a->oci) : 0;
}

/* archMap: the entry of this machine counts, with its subArchitectures; architectures: all of them. */
static int read_archs(struct rules *r, const json_t *root, struct err *e)
{
	const json_t *item, *sub;
	size_t i, j;

	json_array_foreach(json_object_get(root, "architectures"), i, item)
		if (add_arch(r, item, e) < 0)
			return -1;
	json_array_foreach(json_object_get(root, "archMap"), i, item) {
		const struct arch *a = find_arch(json_object_get(item, "architecture"));

		if (!a)
			return err_set(e, 0, "archMap: unknown architecture");
		if (strcmp(a->docker, r->machine->arch))
			continue;
		json_array_foreach(json_object_get(item, "subArchitectures"), j, sub)
			if (add_arch(r, sub, e) < 0)
				return -1;
	}
	return 0;
}

static int has_text(const json_t *array, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
		if (json_is_string(item) && !strcmp(json_string_value(item), text))
			return 1;
	return 0;
}

static int has_cap(const struct machine *m, const char *name)
{
	for (const char *const *c = m->caps; c && *c; c++)
		if (!strcmp(*c, name))
			return 1;
	return 0;
}

static int is_kernel_at_least(const struct machine *m, const json_t *version)
{
	unsigned major = 0, minor = 0;

	if (sscanf(json_string_value(version), "%u.%u", &major, &minor) < 1)
		return 0;
	return m->kernel[0] > major || (m->kernel[0] == major && m->kernel[1] >= minor);
}

static int check_filter(const json_t *filter, struct err *e)
{
	const char *key;
	json_t *value;

	if (filter && !json_is_null(filter) && !json_is_object(filter))
		return err_set(e, 0, "includes and excludes are objects");
	json_object_foreach((json_t *)filter, key, value) {
		int is_list = !strcmp(key, "caps") || !strcmp(key, "arches");

		if (!is_list && strcmp(key, "minKernel"))
			return err_set(e, 0, "unknown key '%.40s' in includes or excludes", key);
		if (is_list ? !json_is_array(value) : !json_is_string(value))
			return err_set(e, 0, "%s of includes or excludes is %s", key, is_list ? "an array" : "a version");
	}
	return 0;
}

/* As in Docker: all that includes says must be so, nothing that excludes says may be. */
static int is_for_machine(const json_t *rule, const struct machine *m)
{
	const json_t *in = json_object_get(rule, "includes"), *out = json_object_get(rule, "excludes"), *item;
	size_t i;

	if (json_object_get(in, "arches") && json_array_size(json_object_get(in, "arches")) && !has_text(json_object_get(in, "arches"), m->arch))
		return 0;
	json_array_foreach(json_object_get(in, "caps"), i, item)
		if (!json_is_string(item) || !has_cap(m, json_string_value(item)))
			return 0;
	if (json_object_get(in, "minKernel") && !is_kernel_at_least(m, json_object_get(in, "minKernel")))
		return 0;
	if (has_text(json_object_get(out, "arches"), m->arch))
		return 0;
	json_array_foreach(json_object_get(out, "caps"), i, item)
		if (json_is_string(item) && has_cap(m, json_string_value(item)))
			return 0;
	return !json_object_get(out, "minKernel") || !is_kernel_at_least(m, json_object_get(out, "minKernel"));
}

static int check_keys(const json_t *object, const char *const *known, struct err *e)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return err_set(e, 0, "not a JSON object");
	json_object_foreach((json_t *)object, key, value) {
		const char *const *k = known;

		while (*k && strcmp(*k, key))
			k++;
		if (!*k)
			return err_set(e, 0, "unknown key '%.40s'", key);
	}
	return 0;
}

static int read_rule(struct rules *r, const json_t *rule, struct err *e)
{
	static const char *const known[] = { "names", "name", "action", "args", "comment", "includes", "excludes", "errnoRet",
		"errno", NULL };
	const json_t *names = json_object_get(rule, "names"), *one = json_object_get(rule, "name");
	json_t *list = NULL;
	uint32_t action;
	int rc;

	if (check_keys(rule, known, e) < 0 || check_filter(json_object_get(rule, "includes"), e) < 0 ||
	    check_filter(json_object_get(rule, "excludes"), e) < 0 ||
	    rules_action(json_string_value(json_object_get(rule, "action")), json_object_get(rule, "errnoRet"), &action, e) < 0)
		return -1;
	if (!json_is_array(names) && !json_is_string(one))
		return err_set(e, 0, "no names");
	if (!is_for_machine(rule, r->machine)) {
		r->notes->skipped++;
		return 0;
	}
	r->notes->rules++;
	if (!names) {
		list = json_pack("[O]", one);
		names = list;
	}
	rc = rules_add(r, names, json_object_get(rule, "args"), action, e);
	json_decref(list);
	return rc;
}

static int read_rules(struct rules *r, const json_t *root, struct err *e)
{
	const json_t *list = json_object_get(root, "syscalls"), *rule;
	size_t i;

	if (list && !json_is_array(list))
		return err_set(e, 0, "syscalls is not an array");
	json_array_foreach(list, i, rule)
		if (read_rule(r, rule, e) < 0)
			return err_wrap(e, "rule %zu of syscalls", i + 1);
	return 0;
}

static int make_contexts(struct rules *r, struct err *e)
{
	scmp_filter_ctx both[2];

	r->main = both[0] = seccomp_init(r->default_action);
	r->except = both[1] = seccomp_init(SCMP_ACT_ALLOW);
	for (int i = 0; i < 2; i++) {
		if (!both[i] || seccomp_attr_set(both[i], SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)) < 0)
			return err_set(e, 0, "libseccomp makes no filter");
		/* a tree instead of a list, since libseccomp 2.5; the kernel caches what is always allowed anyway */
		seccomp_attr_set(both[i], SCMP_FLTATR_CTL_OPTIMIZE, 2);
	}
	return 0;
}

/* Appends a context's program; *length: its instructions. */
static int append_program(scmp_filter_ctx c, char *out, uint32_t *length, struct err *e)
{
	autoclose int fd = memfd_create("filter", MFD_CLOEXEC);
	int rc = fd < 0 ? -errno : seccomp_export_bpf(c, fd);
	ssize_t n;

	if (rc < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, rc < 0 ? -rc : errno, "libseccomp writes no program");
	n = io_read_full(fd, out, BPF_MAXINSNS * sizeof(struct sock_filter) + 1);
	if (n <= 0 || n % sizeof(struct sock_filter) || n / sizeof(struct sock_filter) > BPF_MAXINSNS)
		return err_set(e, 0, "the filter has more than %d instructions, which Linux does not take: use fewer rules with arguments",
			BPF_MAXINSNS);
	*length = n / sizeof(struct sock_filter);
	return 0;
}

static int export(const struct rules *r, void **out, size_t *size, struct err *e)
{
	struct filter_head h = { .magic = FILTER_MAGIC };
	autofree char *data = malloc(FILTER_MAX_SIZE + 1);
	size_t used = sizeof(h);

	if (!data)
		return err_set(e, ENOMEM, "write the filter");
	if (append_program(r->main, data + used, &h.length[0], e) < 0)
		return -1;
	used += h.length[0] * sizeof(struct sock_filter);
	if (append_program(r->except, data + used, &h.length[1], e) < 0)
		return -1;
	used += h.length[1] * sizeof(struct sock_filter);
	memcpy(data, &h, sizeof(h));
	*size = used;
	*out = steal_pointer(&data);
	return 0;
}

static int compile(struct rules *r, const json_t *root, void **out, size_t *size, struct err *e)
{
	static const char *const known[] = { "defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap",
		"syscalls", "flags", "comment", NULL };
	const json_t *flag;
	size_t i;

	if (check_keys(root, known, e) < 0)
		return -1;
	json_array_foreach(json_object_get(root, "flags"), i, flag)
		if (!json_is_string(flag) || (strcmp(json_string_value(flag), "SECCOMP_FILTER_FLAG_TSYNC") &&
		    strcmp(json_string_value(flag), "SECCOMP_FILTER_FLAG_SPEC_ALLOW")))
			return err_set(e, 0, "flags: only SECCOMP_FILTER_FLAG_SPEC_ALLOW and _TSYNC, which change nothing here");
	if (rules_action(json_string_value(json_object_get(root, "defaultAction")), json_object_get(root, "defaultErrnoRet"),
	    &r->default_action, e) < 0)
		return err_wrap(e, "defaultAction");
	if (make_contexts(r, e) < 0 || read_archs(r, root, e) < 0 || read_rules(r, root, e) < 0)
		return -1;
	return export(r, out, size, e);
}

int policy_compile(const char *text, size_t length, const struct machine *m,
	void **out, size_t *size, struct notes *notes, struct err *e)
{
	struct rules r = { .machine = m, .notes = notes };
	json_error_t why;
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
	int rc;

	*notes = (struct notes){ .rules = 0 };
	if (!root)
		return err_set(e, 0, "line %d: %s", why.line, why.text);
	rc = compile(&r, root, out, size, e);
	if (r.main)
		seccomp_release(r.main);
	if (r.except)
		seccomp_release(r.except);
	json_decref(root);
	return rc;
}
