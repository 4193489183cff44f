#include <config.h>

#include "client.h"

#include <stdlib.h>

#include "step.h"
#include "unit.h"

/* Here, unlike on the node, it is the process's own environment. */

static struct err e;

static const char *var(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "(unset)";
}

static void usual(const char *inherited)
{
	unsetenv("SLURM_CONTAINER");
	unsetenv("SRUN_CONTAINER");
	unsetenv(CLIENT_MARKER);
	if (inherited)
		setenv("SLURM_CONTAINER", inherited, 1);
}

START_TEST(wants)
{
	ck_assert(!step_wants_container(""));
	ck_assert(!step_wants_container("none"));
	ck_assert(step_wants_container("None"));
	ck_assert(step_wants_container("none:latest"));
	ck_assert(step_wants_container(" "));
	ck_assert(step_wants_container("debian:12"));
}
END_TEST

/* srun below sbatch --container=A: A is the default, --container=B wins. */
START_TEST(srun_inherits_as_a_default)
{
	usual("a");
	client_before_options(IN_SRUN);
	ck_assert_str_eq(var("SLURM_CONTAINER"), "(unset)");
	ck_assert_str_eq(var("SRUN_CONTAINER"), "a");
}
END_TEST

START_TEST(srun_keeps_a_default_of_its_own)
{
	usual("a");
	setenv("SRUN_CONTAINER", "b", 1);
	client_before_options(IN_SRUN);
	ck_assert_str_eq(var("SLURM_CONTAINER"), "(unset)");
	ck_assert_str_eq(var("SRUN_CONTAINER"), "b");
}
END_TEST

START_TEST(srun_that_inherits_nothing)
{
	usual(NULL);
	client_before_options(IN_SRUN);
	ck_assert_str_eq(var("SLURM_CONTAINER"), "(unset)");
	ck_assert_str_eq(var("SRUN_CONTAINER"), "(unset)");
}
END_TEST

/* sbatch inside a contained job is a new job: it has what its own command line says. */
START_TEST(sbatch_inherits_nothing)
{
	usual("a");
	client_before_options(IN_ALLOCATOR);
	ck_assert_str_eq(var("SLURM_CONTAINER"), "(unset)");
	ck_assert_str_eq(var("SRUN_CONTAINER"), "(unset)");
}
END_TEST

/* An inherited marker would say that a client with the plugin spoke for a job that it did not submit. */
START_TEST(marker_is_ones_own)
{
	usual(NULL);
	setenv(CLIENT_MARKER, "1", 1);
	client_before_options(IN_ALLOCATOR);
	ck_assert_str_eq(var(CLIENT_MARKER), "(unset)");
	ck_ok(client_after_options(&e), e);
	ck_assert_str_eq(var(CLIENT_MARKER), "1");
}
END_TEST

START_TEST(good_names)
{
	static const char *const names[] = { "debian:12", "debian", "lab/tools:2.4", "none", "" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		usual(names[i]);
		ck_ok(client_after_options(&e), e);
		ck_assert_str_eq(var(CLIENT_MARKER), "1");
		ck_assert_str_eq(var("SLURM_CONTAINER"), names[i]);
	}
	usual(NULL);
	ck_ok(client_after_options(&e), e);
}
END_TEST

START_TEST(bad_names)
{
	static char longer[10001];

	usual("../../etc");
	ck_refused(client_after_options(&e), e, "image name '../../etc' is not valid at '../../etc'");
	usual("Debian:12");
	ck_refused(client_after_options(&e), e, "image name 'Debian:12' is not valid");
	usual("a b");
	ck_refused(client_after_options(&e), e, "image name 'a b' is not valid at ' b'");
	memset(longer, 'a', sizeof(longer) - 1);
	usual(longer);
	ck_refused(client_after_options(&e), e, "is longer than 255 bytes");
}
END_TEST

/* Once per component of a heterogeneous job. */
START_TEST(asked_twice)
{
	usual("a");
	ck_ok(client_after_options(&e), e);
	setenv("SLURM_CONTAINER", "b", 1);
	ck_ok(client_after_options(&e), e);
	ck_assert_str_eq(var("SLURM_CONTAINER"), "b");
}
END_TEST

UNIT_MAIN("client", wants, srun_inherits_as_a_default, srun_keeps_a_default_of_its_own, srun_that_inherits_nothing,
	sbatch_inherits_nothing, marker_is_ones_own, good_names, bad_names, asked_twice)
