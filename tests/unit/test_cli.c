/* The slxc program from outside: what it prints, what it returns, what the store holds afterwards. */
#include <config.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static char out[65536]; /* what it wrote, stderr after stdout */

/* slxc --store <the test's> ARGUMENTS, by a shell in unit_dir. Returns its exit status. */
__attribute__((format(printf, 1, 2))) static int slxc(const char *format, ...)
{
	char command[12000], arguments[2000];
	va_list ap;
	size_t n;
	FILE *p;
	int status;

	va_start(ap, format);
	vsnprintf(arguments, sizeof(arguments), format, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "cd '%s' && { '%s' --store '%s/store' %s; } 2>&1", unit_dir, SLXC_PROGRAM,
		unit_dir, arguments);
	p = popen(command, "r");
	ck_assert_ptr_nonnull(p);
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = 0;
	status = pclose(p);
	ck_assert_msg(WIFEXITED(status), "killed: %s", out);
	return WEXITSTATUS(status);
}

static void says(const char *text)
{
	ck_assert_msg(strstr(out, text) != NULL, "it says '%s', not '%s'", out, text);
}

/* One line, and which. */
static void refuses(int status, int expected, const char *text)
{
	ck_assert_msg(status == expected, "exit status %d, not %d: %s", status, expected, out);
	ck_assert_msg(!strncmp(out, "slxc: ", 6) && strchr(out, '\n') == out + strlen(out) - 1, "not one line: %s", out);
	says(text);
}

static void digest_in_output(char *digest)
{
	const char *d = strstr(out, "sha256:");

	ck_assert_ptr_nonnull(d);
	snprintf(digest, 72, "%s", d);
}

static void make_tree(const char *name, const char *content)
{
	char path[300];

	ck_assert_int_eq(mkdirat(unit_dirfd, name, 0755), 0);
	snprintf(path, sizeof(path), "%s/f", name);
	unit_write(path, content, strlen(content));
}

START_TEST(import_list_remove)
{
	make_tree("tree", "1");
	ck_assert_int_eq(slxc("import lab/x:1 tree"), 0);
	says("lab/x:1: sha256:");
	says(", 2 files of 1 B packed into 4.1 kB, ");
	ck_assert_int_eq(slxc("images"), 0);
	says("NAME     DIGEST ");
	says("lab/x:1  sha256:");
	says("  public\n");
	ck_assert_int_eq(slxc("rm lab/x:1"), 0);
	says("lab/x:1: name removed\nsha256:");
	says(": image removed\n4.1 kB of layers removed; steps that use them now keep them until they end\n");
	ck_assert_int_eq(slxc("images --json"), 0);
	ck_assert_str_eq(out, "[]\n");
	ck_assert_int_eq(slxc("import a tree"), 0);
	ck_assert_int_eq(slxc("rm b a 2>&1 | sort"), 0);
	says("a:latest: name removed\n");
	says("slxc: no image 'b:latest': see 'slxc images'\n");
	refuses(slxc("rm lab/x:1"), 1, "no image 'lab/x:1': see 'slxc images'");
}
END_TEST

START_TEST(replacing_says_so)
{
	char first[72], again[72];

	make_tree("one", "1");
	make_tree("two", "2");
	ck_assert_int_eq(slxc("import x one"), 0);
	digest_in_output(first);
	ck_assert_int_eq(slxc("import x one"), 0);
	digest_in_output(again);
	ck_assert_str_eq(first, again);
	says("x:latest: the same image as before\n");
	ck_assert_int_eq(slxc("import --replace x two"), 0);
	says("x:latest: replaced sha256:");
	says(", which stays: 'slxc rm sha256:");
	ck_assert_int_eq(slxc("images"), 0);
	says("\n-         sha256:");
	ck_assert_int_eq(slxc("rm %.19s", first), 0);
	says(": image removed");
	ck_assert_int_eq(slxc("images x"), 0);
	says("x:latest  sha256:");
}
END_TEST

START_TEST(several_names)
{
	char digest[72];

	make_tree("tree", "1");
	ck_assert_int_eq(slxc("import x tree && '%s' --store '%s/store' import y tree", SLXC_PROGRAM, unit_dir), 0);
	digest_in_output(digest);
	ck_assert_int_eq(slxc("rm x"), 0);
	ck_assert_str_eq(out, "x:latest: name removed\n");
	ck_assert_int_eq(slxc("import z tree"), 0);
	ck_assert_int_eq(slxc("rm %s", digest), 0);
	says("y:latest: name removed\nz:latest: name removed\n");
	says(": image removed");
	refuses(slxc("images y"), 1, "no image 'y:latest' on this cluster");
}
END_TEST

START_TEST(archives_and_standard_input)
{
	char first[72], second[72];

	make_tree("tree", "1");
	ck_assert_int_eq(slxc("import a - < /dev/null"), 1);
	says("import a:latest from -: the archive is empty");
	ck_assert_int_eq(slxc("--help >/dev/null; tar -C tree -cf t.tar . && gzip -k t.tar && '%s' --store '%s/store' "
		"import a t.tar", SLXC_PROGRAM, unit_dir), 0);
	digest_in_output(first);
	ck_assert_int_eq(slxc("import b - < t.tar.gz"), 0);
	digest_in_output(second);
	ck_assert_str_eq(first, second);
}
END_TEST

START_TEST(what_is_recorded)
{
	make_tree("tree", "1");
	ck_assert_int_eq(slxc("import --private --env A=1 --env 'B=two words' --workdir /data x tree"), 0);
	ck_assert_int_eq(slxc("images --json x; cat store/images/*/config.json"), 0);
	says("\"visibility\": \"private\"");
	says("\"A=1\",\n    \"B=two words\"");
	says("\"workdir\": \"/data\"");
	says("\"name\": \"x:latest\"");
	says("/tree\"");
}
END_TEST

START_TEST(wrong_usage)
{
	refuses(slxc(" "), 2, "no command: see 'slxc --help'");
	refuses(slxc("frob"), 2, "unknown command 'frob'");
	refuses(slxc("--frob"), 2, "unknown option '--frob'");
	refuses(slxc("import"), 2, "import takes a NAME and a SOURCE");
	refuses(slxc("import x"), 2, "import takes a NAME and a SOURCE");
	refuses(slxc("import x y z"), 2, "import takes a NAME and a SOURCE");
	refuses(slxc("import --env x y z"), 2, "--env takes NAME=VALUE, not 'x'");
	refuses(slxc("import --env 1=x y z"), 2, "--env takes NAME=VALUE, not '1=x'");
	refuses(slxc("import --env A=1 --env A=2 y z"), 2, "--env sets the same variable twice: 'A=2'");
	refuses(slxc("import --workdir x y z"), 2, "--workdir takes an absolute path, not 'x'");
	refuses(slxc("import --owner no-such-user y z"), 2, "--owner: there is no user 'no-such-user'");
	refuses(slxc("import ../x y"), 2, "image name '../x' is not valid at '../x'");
	refuses(slxc("import sha256:1111111111111111111111111111111111111111111111111111111111111111 y"), 2,
		"is a digest: give the image a name");
	refuses(slxc("import --env"), 2, "--env needs a value");
	refuses(slxc("images a b"), 2, "images takes one NAME at most");
	refuses(slxc("rm"), 2, "rm takes a NAME or a DIGEST");
	refuses(slxc("--store x images"), 2, "--store takes an absolute path, not 'x'");
	ck_assert_int_eq(faccessat(unit_dirfd, "store", F_OK, 0), -1);
}
END_TEST

START_TEST(failures)
{
	refuses(slxc("images"), 1, "no image store at ");
	refuses(slxc("rm x"), 1, "no image store at ");
	refuses(slxc("import x none"), 1, "open none: No such file or directory");
	unit_write("junk", "junk", 4);
	refuses(slxc("import x junk"), 1, "import x:latest from junk: this is not a tar archive");
	refuses(slxc("import x \"$(printf 'a\\033[31mb')\""), 1, "open a?[31mb: No such file or directory");
	make_tree("tree", "1");
	ck_assert_int_eq(slxc("import x tree"), 0);
	refuses(slxc("images > /dev/full"), 1, "write the output: No space left on device");
	refuses(slxc("images y"), 1, "no image 'y:latest' on this cluster: see 'slxc images', or import it");
	refuses(slxc("rm sha256:123412341234"), 1, "no image 'sha256:123412341234'");
	ck_assert_int_eq(slxc("images; ls store/tmp | wc -l"), 0);
	says("\n0\n"); /* failures leave nothing */
}
END_TEST

START_TEST(help_and_version)
{
	static const char *const commands[] = { "", "import", "images", "rm" };

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		ck_assert_int_eq(slxc("%s --help", commands[i]), 0);
		says("Usage: slxc ");
	}
	ck_assert_int_eq(slxc("--version"), 0);
	ck_assert_str_eq(out, "slxc " PACKAGE_VERSION "\n");
}
END_TEST

/* Imports and removals of one name at once: each import succeeds, and what is there at the end is whole. */
START_TEST(all_at_once)
{
	make_tree("tree", "1");
	ck_assert_int_eq(slxc("--version; for i in 1 2 3 4 5 6; do "
		"('%s' --store '%s/store' import x tree >/dev/null || echo bad import) & "
		"('%s' --store '%s/store' rm x >/dev/null 2>&1) & done; wait", SLXC_PROGRAM, unit_dir, SLXC_PROGRAM, unit_dir), 0);
	ck_assert_str_eq(out, "slxc " PACKAGE_VERSION "\n");
	ck_assert_int_eq(slxc("import x tree"), 0);
	ck_assert_int_eq(slxc("images x; ls store/tmp | wc -l; ls store/layers | wc -l"), 0);
	says("  public\n0\n1\n");
}
END_TEST

UNIT_MAIN("cli", import_list_remove, replacing_says_so, several_names, archives_and_standard_input, what_is_recorded,
	wrong_usage, failures, help_and_version, all_at_once)
