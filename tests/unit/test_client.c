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
	struct client c = { 0 };

	usual(NULL);
	setenv(CLIENT_MARKER, "a", 1);
	client_before_options(IN_ALLOCATOR);
	ck_assert_str_eq(var(CLIENT_MARKER), "(unset)");
	ck_ok(client_after_options(&c, IN_ALLOCATOR, &e), e);
	ck_assert_str_eq(var(CLIENT_MARKER), "");
}
END_TEST

/* In a step, SLURM_CONTAINER may be gone while the marker still says what the step has. */
START_TEST(srun_inherits_the_marker)
{
	usual(NULL);
	setenv(CLIENT_MARKER, "a", 1);
	client_before_options(IN_SRUN);
	ck_assert_str_eq(var("SRUN_CONTAINER"), "a");
	ck_assert_str_eq(var(CLIENT_MARKER), "(unset)");
	usual(NULL);
	setenv(CLIENT_MARKER, "", 1);
	client_before_options(IN_SRUN);
	ck_assert_str_eq(var("SRUN_CONTAINER"), "(unset)");
}
END_TEST

/* SRUN_CONTAINER= in the environment is as good as none, unlike --container=. */
START_TEST(empty_defaults)
{
	static const char *const names[] = { "SRUN_CONTAINER", "SBATCH_CONTAINER", "SALLOC_CONTAINER" };

	usual("");
	for (int i = 0; i < 3; i++)
		setenv(names[i], "", 1);
	client_before_options(IN_SRUN);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(var(names[i]), "(unset)");
	setenv("SBATCH_CONTAINER", "b", 1);
	client_before_options(IN_ALLOCATOR);
	ck_assert_str_eq(var("SBATCH_CONTAINER"), "b");
}
END_TEST

START_TEST(good_names)
{
	static const char *const names[] = { "debian:12", "debian", "lab/tools:2.4", "none" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct client c = { 0 };

		usual(names[i]);
		ck_ok(client_after_options(&c, IN_ALLOCATOR, &e), e);
		ck_assert_str_eq(var(CLIENT_MARKER), names[i]);
		ck_assert_str_eq(var("SLURM_CONTAINER"), names[i]);
	}
}
END_TEST

static void refuses(const char *name, const char *why)
{
	struct client c = { 0 };

	usual(name);
	ck_refused(client_after_options(&c, IN_SRUN, &e), e, why);
	ck_assert_str_eq(var(CLIENT_MARKER), "(unset)");
}

START_TEST(bad_names)
{
	static char longer[10001];

	/* --container=$IMAGE with IMAGE unset must not run on the host */
	refuses("", "image name is empty");
	refuses("../../etc", "image name '../../etc' is not valid at '../../etc'");
	refuses("Debian:12", "image name 'Debian:12' is not valid");
	refuses("a b", "image name 'a b' is not valid at ' b'");
	memset(longer, 'a', sizeof(longer) - 1);
	refuses(longer, "is longer than 255 bytes");
}
END_TEST

/* srun of one component: read, and there again for the program. */
START_TEST(srun_puts_it_back)
{
	struct client c = { 0 };

	usual("a");
	ck_ok(client_after_options(&c, IN_SRUN, &e), e);
	ck_assert_str_eq(var("SLURM_CONTAINER"), "(unset)");
	ck_assert_str_eq(var(CLIENT_MARKER), "a");
	client_before_launch(&c);
	ck_assert_str_eq(var("SLURM_CONTAINER"), "a");
	memset(&c, 0, sizeof(c));
	usual(NULL);
	ck_ok(client_after_options(&c, IN_SRUN, &e), e);
	client_before_launch(&c);
	ck_assert_str_eq(var("SLURM_CONTAINER"), "(unset)");
}
END_TEST

/* Once per component of a heterogeneous job. */
START_TEST(components_that_agree)
{
	struct client c = { 0 };

	usual("a");
	ck_ok(client_after_options(&c, IN_SRUN, &e), e);
	setenv("SLURM_CONTAINER", "a", 1);
	ck_ok(client_after_options(&c, IN_SRUN, &e), e);
	client_before_launch(&c);
	ck_assert_str_eq(var("SLURM_CONTAINER"), "a");
	ck_assert_str_eq(var(CLIENT_MARKER), "a");
}
END_TEST

START_TEST(components_that_differ)
{
	struct client c = { 0 };

	usual("a");
	ck_ok(client_after_options(&c, IN_SRUN, &e), e);
	setenv("SLURM_CONTAINER", "b", 1);
	ck_refused(client_after_options(&c, IN_SRUN, &e), e,
		"the components of one srun cannot have different containers ('a' and 'b'): use one srun for each, with --het-group");
	usual("a");
	memset(&c, 0, sizeof(c));
	ck_ok(client_after_options(&c, IN_SRUN, &e), e);
	ck_refused(client_after_options(&c, IN_SRUN, &e), e, "('a' and '')");
	usual(NULL);
	memset(&c, 0, sizeof(c));
	ck_ok(client_after_options(&c, IN_SRUN, &e), e);
	setenv("SLURM_CONTAINER", "b", 1);
	ck_refused(client_after_options(&c, IN_SRUN, &e), e, "('' and 'b')");
}
END_TEST

/* sbatch runs its script in the first component: the others may have what they like. */
START_TEST(components_of_sbatch)
{
	struct client c = { 0 };

	usual("a");
	ck_ok(client_after_options(&c, IN_ALLOCATOR, &e), e);
	setenv("SLURM_CONTAINER", "b", 1);
	ck_ok(client_after_options(&c, IN_ALLOCATOR, &e), e);
	ck_assert_str_eq(var(CLIENT_MARKER), "a");
	setenv("SLURM_CONTAINER", "../b", 1);
	ck_refused(client_after_options(&c, IN_ALLOCATOR, &e), e, "image name '../b' is not valid");
}
END_TEST

UNIT_MAIN("client", wants, srun_inherits_as_a_default, srun_keeps_a_default_of_its_own, srun_that_inherits_nothing,
	sbatch_inherits_nothing, marker_is_ones_own, srun_inherits_the_marker, empty_defaults, good_names, bad_names,
	srun_puts_it_back, components_that_agree, components_that_differ, components_of_sbatch)
