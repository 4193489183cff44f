# SLXC_LIBRARY(VAR, MODULE, PACKAGE): a library that is needed. All that are
# missing are collected, and named with their packages by SLXC_REQUIRE_MISSING.
AC_DEFUN([SLXC_LIBRARY], [
	PKG_CHECK_MODULES([$1], [$2], [], [slxc_missing="$slxc_missing
  $2: install $3"])
])

AC_DEFUN([SLXC_OPTIONAL_LIBRARY], [
	PKG_CHECK_MODULES([$1], [$2], [have_$1=yes], [have_$1=no
		AC_MSG_WARN([$2 not found: install $3])])
])

AC_DEFUN([SLXC_REQUIRE_MISSING], [
	AS_IF([test -n "$slxc_missing"], [AC_MSG_ERROR([needed and not found:$slxc_missing])])
])

# SLXC_SLURM: slurm/spank.h, from --with-slurm=PREFIX or where the compiler looks.
AC_DEFUN([SLXC_SLURM], [
	AC_ARG_WITH([slurm], [AS_HELP_STRING([--with-slurm=PREFIX], [where Slurm is installed @<:@search@:>@])],
		[], [with_slurm=])
	AS_IF([test -n "$with_slurm" && test "x$with_slurm" != xyes],
		[SLURM_CFLAGS="-I$with_slurm/include"
		dnl not the one that the compiler finds elsewhere
		AS_IF([test ! -f "$with_slurm/include/slurm/spank.h"],
			[AC_MSG_ERROR([--with-slurm: $with_slurm/include/slurm/spank.h is not there])])],
		[SLURM_CFLAGS=])
	slxc_save_cppflags=$CPPFLAGS
	CPPFLAGS="$CPPFLAGS $SLURM_CFLAGS"
	AC_CHECK_HEADER([slurm/spank.h], [
		AC_MSG_CHECKING([for Slurm 21.08 or later (srun --container)])
		AC_PREPROC_IFELSE([AC_LANG_PROGRAM([[
#include <slurm/slurm.h>
#if SLURM_VERSION_NUMBER < SLURM_VERSION_NUM(21,8,0)
#error too old
#endif
]])], [AC_MSG_RESULT([yes])], [AC_MSG_RESULT([no])
			slxc_missing="$slxc_missing
  Slurm: this one is older than 21.08, which brought srun --container"])
	], [slxc_missing="$slxc_missing
  slurm/spank.h: install libslurm-dev (EPEL: slurm-devel), or say --with-slurm=PREFIX"])
	CPPFLAGS=$slxc_save_cppflags
	AC_SUBST([SLURM_CFLAGS])
])

# SLXC_COMPILER_FLAGS: warnings and hardening for everything; -Werror only by flag.
AC_DEFUN([SLXC_COMPILER_FLAGS], [
	AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors])], [], [enable_werror=no])
	SLXC_CFLAGS="-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wno-unused-parameter -fstack-protector-strong"
	AS_IF([test "x$enable_werror" = xyes], [SLXC_CFLAGS="$SLXC_CFLAGS -Werror"])
	AS_CASE([$host_cpu], [x86_64], [SLXC_CFLAGS="$SLXC_CFLAGS -fcf-protection"])
	SLXC_LDFLAGS="-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack"
	AC_SUBST([SLXC_CFLAGS])
	AC_SUBST([SLXC_LDFLAGS])
])

# SLXC_SANITIZERS: --enable-sanitizers builds with AddressSanitizer and UBSan.
AC_DEFUN([SLXC_SANITIZERS], [
	AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers], [AddressSanitizer and UBSan, for make check])],
		[], [enable_sanitizers=no])
	AS_IF([test "x$enable_sanitizers" = xyes], [
		SLXC_CFLAGS="$SLXC_CFLAGS -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
	], [
		AS_CASE([$CFLAGS], [*-O0*], [], [SLXC_CFLAGS="$SLXC_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
	])
	# slxc-step is static, but the sanitizers cannot be
	AS_IF([test "x$enable_sanitizers" = xyes], [STEP_PIE=-pie], [STEP_PIE=-static-pie])
	AC_SUBST([STEP_PIE])
	AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
])
