/* slxc doctor: is this node fit for containers, and if not, what has to be changed. Each check is one function. */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli.h"
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/paths.h"
#include "store/store.h"

static const char usage[] =
	"Usage: slxc doctor [--json]\n\n"
	"Checks what containers need on this host: configuration, programs, store, kernel, Slurm. For everything that is\n"
	"wrong it says what to change. Exit status 1 when something has failed; a warning is no failure.\n\n"
	"  --json    as a JSON list\n";

enum verdict { FINE, WARNING, FAILED };

/* What one check found; text is one line. */
struct finding {
	enum verdict verdict;
	char text[ERR_TEXT_SIZE];
};

static void find(struct finding *f, enum verdict v, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void find(struct finding *f, enum verdict v, const char *format, ...)
{
	va_list ap;

	f->verdict = v;
	va_start(ap, format);
	vsnprintf(f->text, sizeof(f->text), format, ap);
	va_end(ap);
	err_sanitize(f->text);
}

static void check_configuration(struct finding *f)
{
	struct conf conf;
	struct err e;

	if (conf_load(&conf, SLXC_CONF_FILE, &e) < 0)
		find(f, FAILED, "%s; 'slxc config check' says it of every file", e.text);
	else
		find(f, FINE, "%s", access(SLXC_CONF_FILE, F_OK) == 0 ? SLXC_CONF_FILE : "no " SLXC_CONF_FILE ": the defaults");
}

static void check_store(struct finding *f)
{
	struct conf conf;
	struct store s;
	struct err e;

	if (conf_load(&conf, SLXC_CONF_FILE, &e) < 0)
		find(f, FAILED, "which store it is cannot be known: see configuration");
	else if (store_open(&s, conf.store, &e) < 0)
		find(f, FAILED, "%s; mount or make it ('slxc import' makes one), or correct store= in slxc.conf", e.text);
	else {
		store_close(&s);
		find(f, FINE, "%.300s", conf.store);
	}
}

static void check_programs(struct finding *f)
{
	static const char *const names[] = { "slxc-step", "slxc-worker", "slxc-init" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[PATH_MAX];
		struct stat st;

		snprintf(path, sizeof(path), SLXC_LIBEXECDIR "/%s", names[i]);
		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 0111) != 0111) {
			find(f, FAILED, "%.300s is missing or not executable: install slxc again", path);
			return;
		}
		if (st.st_uid != 0 || (st.st_mode & 022)) {
			find(f, FAILED, "%.300s must belong to root and be writable by root only", path);
			return;
		}
	}
	find(f, FINE, SLXC_LIBEXECDIR);
}

/* 1000 * major + minor */
static int kernel_version(void)
{
	unsigned major = 0, minor = 0;
	struct utsname u;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return 0;
	return 1000 * major + minor;
}

static void check_kernel(struct finding *f)
{
	struct utsname u;

	uname(&u);
	if (kernel_version() < 5019)
		find(f, FAILED, "Linux %s cannot map the ids of a mount: 5.19 or later is needed", u.release);
	else if (kernel_version() < 6012 && access("/dev/loop-control", F_OK) < 0)
		find(f, FAILED, "Linux %s mounts images through loop devices, and /dev/loop-control is missing: load the module 'loop'",
			u.release);
	else
		find(f, FINE, "Linux %s", u.release);
}

static bool has_file_system(const char *name)
{
	char text[8192], line[64];
	struct err e;

	snprintf(line, sizeof(line), "\t%s\n", name);
	return io_read_file(AT_FDCWD, "/proc/filesystems", text, sizeof(text), &e) >= 0 && strstr(text, line);
}

static void check_file_systems(struct finding *f)
{
	static const char *const needed[] = { "erofs", "overlay" };
	struct utsname u;
	char path[300];

	uname(&u);
	for (size_t i = 0; i < 2; i++) {
		if (has_file_system(needed[i]))
			continue;
		/* the kernel loads a module at the first mount */
		snprintf(path, sizeof(path), "/lib/modules/%s/kernel/fs/%s", u.release, needed[i]);
		if (access(path, F_OK) < 0) {
			find(f, FAILED, "this kernel has no %s: use one that has, or install its modules", needed[i]);
			return;
		}
	}
	find(f, FINE, "erofs and overlay");
}

/* A number in /proc/sys; missing when there is no such file. */
static long sysctl_value(const char *path, long missing)
{
	char text[64];
	struct err e;

	return io_read_file(AT_FDCWD, path, text, sizeof(text), &e) < 0 ? missing : strtol(text, NULL, 10);
}

static void check_namespaces(struct finding *f)
{
	if (sysctl_value("/proc/sys/user/max_user_namespaces", 1) == 0)
		find(f, FAILED, "user namespaces are switched off: sysctl user.max_user_namespaces=15000");
	else if (sysctl_value("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0)
		find(f, FAILED, "users may not make user namespaces: sysctl kernel.unprivileged_userns_clone=1");
	else if (sysctl_value("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 1)
		find(f, FAILED, "AppArmor keeps users from user namespaces: sysctl kernel.apparmor_restrict_unprivileged_userns=0");
	else
		find(f, FINE, "users may make user namespaces");
}

static void check_run_directory(struct finding *f)
{
	struct stat st;

	if (stat(SLXC_RUNDIR, &st) < 0)
		find(f, FINE, "no " SLXC_RUNDIR " yet: the first step makes it");
	else if (st.st_uid != 0 || (st.st_mode & 022))
		find(f, FAILED, SLXC_RUNDIR " must be a directory of root that only root can write: remove it");
	else
		find(f, FINE, SLXC_RUNDIR);
}

/* The value of a key in the text of 'scontrol show config'; "" when it has none. */
static void slurm_value(const char *text, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);

	out[0] = 0;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *v = line + n + strspn(line + n, " ");

		if (strncmp(line, key, n) || *v != '=')
			continue;
		v += 1 + strspn(v + 1, " ");
		snprintf(out, size, "%.*s", (int)strcspn(v, "\n"), v);
		if (!strcmp(out, "(null)"))
			out[0] = 0;
		return;
	}
}

/* True when a line of the file loads the plugin. */
static bool loads_plugin(const char *path)
{
	autofclose FILE *file = fopen(path, "re");
	char line[1024], word[16], plugin[512];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%15s %511s", word, plugin) == 2 && (!strcmp(word, "required") || !strcmp(word, "optional")) &&
		    strstr(plugin, "spank_slxc.so"))
			return true;
	return false;
}

/* plugstack.conf may include others: what it says elsewhere is found by what srun says. */
static bool srun_knows_options(void)
{
	FILE *p = popen("timeout 10 srun --help 2>/dev/null", "re");
	char line[1024];
	bool found = false;

	while (p && fgets(line, sizeof(line), p))
		found |= strstr(line, "[slxc]") != NULL;
	if (p)
		pclose(p);
	return found;
}

/* Through timeout(1): a Slurm that finds no configuration asks the DNS for one, for a minute. */
static void check_slurm(struct finding *f)
{
	autofree char *text = calloc(1, 1 << 17);
	FILE *p = popen("timeout 10 scontrol show config 2>/dev/null", "re");
	char stack[PATH_MAX], file[PATH_MAX], launch[1024], oci[PATH_MAX + 16];
	size_t n = p && text ? fread(text, 1, (1 << 17) - 1, p) : 0;

	if (p)
		pclose(p);
	if (n == 0) {
		find(f, WARNING, "slurmctld does not answer ('scontrol show config'): what concerns Slurm is not checked");
		return;
	}
	slurm_value(text, "PlugStackConfig", stack, sizeof(stack));
	slurm_value(text, "SLURM_CONF", file, sizeof(file));
	slurm_value(text, "LaunchParameters", launch, sizeof(launch));
	snprintf(oci, sizeof(oci), "%.*s/oci.conf", (int)(strrchr(file, '/') ? strrchr(file, '/') - file : 0), file);
	if (strcasestr(text, "CONTAIN_SPANK"))
		find(f, FAILED, "CONTAIN_SPANK in slurm.conf does not go together with slxc: remove it");
	else if (access(oci, F_OK) == 0)
		find(f, FAILED, "with %.300s Slurm runs --container itself: remove it", oci);
	else if (!loads_plugin(stack) && !srun_knows_options())
		find(f, FAILED, "%.200s does not load the plugin: add the line 'required .../spank_slxc.so', on every host of the cluster",
			stack);
	else if (!strstr(launch, "use_interactive_step"))
		find(f, WARNING, "salloc --container needs LaunchParameters=use_interactive_step in slurm.conf");
	else
		find(f, FINE, "%.300s loads the plugin", stack);
}

static void check_packer(struct finding *f)
{
	if (access(MKFS_EROFS, X_OK) < 0)
		find(f, WARNING, "mkfs.erofs is missing here: images can be used but not imported (install erofs-utils)");
	else
		find(f, FINE, MKFS_EROFS);
}

static const struct {
	const char *what;
	void (*check)(struct finding *);
} checks[] = {
	{ "configuration", check_configuration }, { "programs", check_programs }, { "store", check_store },
	{ "run directory", check_run_directory }, { "kernel", check_kernel }, { "file systems", check_file_systems },
	{ "namespaces", check_namespaces }, { "Slurm", check_slurm }, { "import", check_packer },
};
#define N_CHECKS (sizeof(checks) / sizeof(checks[0]))

static int examine(bool json, struct err *e)
{
	static const char *const shown[] = { "ok", "WARNING", "FAILED" }, *const said[] = { "ok", "warning", "failed" };
	json_t *list = json_array();
	unsigned failed = 0;
	int rc = 0;

	for (size_t i = 0; i < N_CHECKS; i++) {
		struct finding f;

		checks[i].check(&f);
		failed += f.verdict == FAILED;
		if (!json)
			printf("%-7s  %-13s  %s\n", shown[f.verdict], checks[i].what, f.text);
		else
			rc |= json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "check", checks[i].what,
				"verdict", said[f.verdict], "text", f.text));
	}
	if (json && (rc < 0 || json_dumpf(list, stdout, JSON_INDENT(2)) < 0))
		rc = err_set(e, 0, "write the findings as JSON");
	else if (json)
		putchar('\n');
	json_decref(list);
	if (rc == 0 && failed)
		rc = err_set(e, 0, "%u of %zu checks have failed", failed, N_CHECKS);
	return rc < 0 ? -1 : 0;
}

int cli_doctor(struct cli *c, int argc, char **argv, struct err *e)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPT_JSON }, CLI_COMMON_OPTIONS, { 0 } };
	bool json = false;
	int o, rc;

	while ((o = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		rc = o == OPT_JSON ? 0 : cli_common_option(c, o, argv, usage, e);
		json |= o == OPT_JSON;
		if (rc)
			return rc < 0 ? -rc : cli_flush(e);
	}
	if (optind < argc) {
		err_set(e, 0, "doctor takes no arguments: see 'slxc doctor --help'");
		return CLI_USAGE;
	}
	if (examine(json, e) < 0) {
		fflush(stdout);
		return CLI_FAILED;
	}
	return cli_flush(e);
}
