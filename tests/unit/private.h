/*
 * Fixtures for code that works on fixed paths (the run directory, the helper
 * programs): a tmpfs at PRIVATE_DIR, below which the tests' copies of those paths
 * lie, in a mount namespace of the test's own. Every test gets a fresh one and
 * nothing of the host can be touched through it. Root makes it directly, others
 * in a user namespace.
 */
#ifndef SLXC_UNIT_PRIVATE_H
#define SLXC_UNIT_PRIVATE_H

#include <stdbool.h>

#include "unit.h"

#ifndef PRIVATE_DIR
#error "the Makefile gives PRIVATE_DIR"
#endif

/* unit_setup() and the namespace, as a checked fixture. */
void private_setup(void);

/* NULL, or why this machine cannot give a test that namespace. */
const char *private_missing(void);

/* Root on the host, not only in a user namespace: see user_namespaces(7). */
bool private_is_host_root(void);

/* PRIVATE_DIR/name, valid until the next call. */
const char *private_path(const char *name);

/* Makes the file PRIVATE_DIR/name, and the directories above it. */
void private_write(const char *name, const char *text);

/* The whole file, in a buffer that the next call reuses; fails the test when it is not there. */
const char *private_read(const char *path);

/* Says why on standard output and ends the program as skipped (automake: 77). */
void unit_skip(const char *why) __attribute__((noreturn));

/* As UNIT_MAIN, in that namespace; skipped where there can be none. */
int private_main(const char *name, const TTest *const *tests, size_t n);
#define PRIVATE_MAIN(name, ...) \
	int main(void) \
	{ \
		const TTest *const tests[] = { __VA_ARGS__ }; \
		return private_main(name, tests, sizeof(tests) / sizeof(tests[0])); \
	}

#endif
