#include <config.h>

#include "options.h"

#include "unit.h"

static struct err e;
static struct options o;

static unsigned number(const char *name)
{
	for (unsigned i = 0; i < n_options; i++)
		if (!strcmp(option_table[i].name, name))
			return i;
	ck_abort_msg("no option %s", name);
}

static void takes(const char *name, const char *argument, enum setting s, const char *value)
{
	options_free(&o);
	ck_ok(options_command(&o, number(name), argument, &e), e);
	ck_assert_str_eq(o.value[s], value);
}

static void refuses(const char *name, const char *argument, const char *why)
{
	options_free(&o);
	ck_refused(options_command(&o, number(name), argument, &e), e, why);
}

START_TEST(values)
{
	takes("container-image", "debian:12", SET_IMAGE, "debian:12");
	takes("container-image", "nvcr.io#nvidia/pytorch:24.01-py3", SET_IMAGE, "nvcr.io/nvidia/pytorch:24.01-py3");
	takes("container-image", "me@nvcr.io#nvidia/pytorch", SET_IMAGE, "nvcr.io/nvidia/pytorch");
	takes("container-image", "none", SET_IMAGE, "none");
	takes("container-mounts", "/a:/b", SET_MOUNTS, "/a:/b");
	takes("container-workdir", "/a/./b/", SET_WORKDIR, "/a/b");
	takes("container-mount-home", NULL, SET_MOUNT_HOME, "yes");
	takes("no-container-mount-home", NULL, SET_MOUNT_HOME, "no");
	takes("container-readonly", NULL, SET_WRITABLE, "no");
	takes("container-env", "A,B_1", SET_ENV, "A,B_1");
	takes("container-unshare", "uts,net,net", SET_UNSHARE, "net,uts");
	takes("container-scratch", "2M", SET_SCRATCH, "2097152");
}
END_TEST

START_TEST(nonsense)
{
	refuses("container-image", "", "--container-image is empty");
	refuses("container-image", "./x.sqsh", "is a file: import it first");
	refuses("container-image", "Debian:12", "--container-image: image name 'Debian:12' is not valid");
	refuses("container-mounts", "x", "'x' must begin with");
	refuses("container-workdir", "a", "--container-workdir takes an absolute path of the container, not 'a'");
	refuses("container-env", "A,,B", "is not NAME[,NAME...]");
	refuses("container-env", "1A", "is not NAME[,NAME...]");
	refuses("container-env", "A=1", "'A=1' is not the name of a variable");
	refuses("container-unshare", "pid", "'pid' is none of net, ipc, uts");
	refuses("container-unshare", "net,", "'' is none of net, ipc, uts");
	refuses("container-scratch", "1K", "is a size of at least 64K such as 500M or 8G, not '1K'");
	refuses("container-scratch", "big", "not 'big'");
	refuses("container-workdir", "/a\nb", "control character");
}
END_TEST

START_TEST(said_again)
{
	options_free(&o);
	ck_ok(options_command(&o, number("container-mounts"), "/a", &e), e);
	ck_ok(options_command(&o, number("container-mounts"), "/b:/c", &e), e);
	ck_ok(options_command(&o, number("container-mounts"), "/a", &e), e);
	ck_assert_str_eq(o.value[SET_MOUNTS], "/a,/b:/c");
	ck_ok(options_command(&o, number("container-workdir"), "/a", &e), e);
	ck_ok(options_command(&o, number("container-workdir"), "/b", &e), e);
	ck_assert_str_eq(o.value[SET_WORKDIR], "/b");
	ck_ok(options_command(&o, number("container-writable"), NULL, &e), e);
	ck_ok(options_command(&o, number("container-writable"), NULL, &e), e);
	ck_refused(options_command(&o, number("container-readonly"), NULL, &e), e,
		"--container-writable and --container-readonly contradict each other: say one");
}
END_TEST

static const char *const *environment;

static const char *variable(void *arg, const char *name)
{
	(void)arg;
	for (const char *const *v = environment; *v; v += 2)
		if (!strcmp(v[0], name))
			return v[1];
	return NULL;
}

START_TEST(from_the_environment)
{
	static const char *const good[] = {
		"SLXC_CONTAINER_MOUNTS", "/a", "PYXIS_CONTAINER_MOUNTS", "/b", "PYXIS_CONTAINER_READONLY", "1",
		"PYXIS_CONTAINER_MOUNT_HOME", "False", "SLXC_CONTAINER_ENV", "", "PYXIS_CONTAINER_WORKDIR", "/p",
		"SLXC_CONTAINER_REMAP_ROOT", "yes", NULL,
	};
	static const char *const bad[] = { "PYXIS_CONTAINER_WRITABLE", "maybe", NULL };

	options_free(&o);
	environment = good;
	ck_ok(options_command(&o, number("container-workdir"), "/c", &e), e);
	ck_ok(options_environment(&o, variable, NULL, &e), e);
	ck_assert_str_eq(o.value[SET_MOUNTS], "/a");
	ck_assert_str_eq(o.value[SET_WRITABLE], "no");
	ck_assert_str_eq(o.value[SET_MOUNT_HOME], "no");
	ck_assert_str_eq(o.value[SET_WORKDIR], "/c");
	ck_assert_str_eq(o.value[SET_REMAP_ROOT], "yes");
	ck_assert(!o.value[SET_ENV]);
	options_free(&o);
	environment = bad;
	ck_refused(options_environment(&o, variable, NULL, &e), e, "PYXIS_CONTAINER_WRITABLE is yes or no, not 'maybe'");
}
END_TEST

START_TEST(handed_on)
{
	static char text[OPTIONS_TEXT_SIZE];

	options_free(&o);
	ck_ok(options_command(&o, number("container-mounts"), "/a:/b:ro", &e), e);
	ck_ok(options_command(&o, number("container-image"), "debian:12", &e), e);
	ck_ok(options_command(&o, number("container-readonly"), NULL, &e), e);
	ck_ok(options_write(&o, text, &e), e);
	ck_assert_str_eq(text, "mounts=/a:/b:ro\nwritable=no");
	options_free(&o);
	ck_ok(options_command(&o, number("container-mounts"), "/own", &e), e);
	ck_ok(options_read(&o, text, &e), e);
	ck_assert_str_eq(o.value[SET_MOUNTS], "/own");
	ck_assert_str_eq(o.value[SET_WRITABLE], "no");
	ck_assert_str_eq(options_needing_container(&o), "container-mounts");
	ck_refused(options_read(&o, "root=yes", &e), e, "holds 'root=yes'");
	ck_refused(options_read(&o, "mounts", &e), e, "holds 'mounts'");
	ck_refused(options_read(&o, "workdir=x", &e), e, "--container-workdir takes an absolute path");
}
END_TEST

UNIT_MAIN("options", values, nonsense, said_again, from_the_environment, handed_on)
