/* slxc completion: what makes a shell complete slxc's words. The scripts ask slxc itself, so they know what it knows. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "cli.h"

static const char usage[] =
	"Usage: slxc completion bash | zsh\n\n"
	"Prints what makes the shell complete slxc's commands, their options and the names of images.\n"
	"In ~/.bashrc or ~/.zshrc:   source <(slxc completion bash)\n";

static const char bash[] =
	"_slxc() {\n"
	"\tlocal word=${COMP_WORDS[COMP_CWORD]} command= i all=\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tcase ${COMP_WORDS[i]} in --store) i=$((i + 1)) ;; -*) ;; *) command=${COMP_WORDS[i]}; break ;; esac\n"
	"\tdone\n"
	"\tif [ -z \"$command\" ]; then\n"
	"\t\tall=\"$(slxc --help | sed -n 's/^  \\([a-z]*\\) .*/\\1/p') --store --help --version\"\n"
	"\telif [[ $word == -* ]]; then\n"
	"\t\tall=$(slxc \"$command\" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)\n"
	"\telse\n"
	"\t\tcase $command in\n"
	"\t\tconfig) all='check show' ;;\n"
	"\t\tcompletion) all='bash zsh' ;;\n"
	"\t\timport) ;;\n"
	"\t\t*) all=$(slxc images 2>/dev/null | awk 'NR > 1 && $1 != \"-\" {print $1}') ;;\n"
	"\t\tesac\n"
	"\tfi\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$all\" -- \"$word\")\n"
	"\t# readline takes the colon of debian:12 for the end of a word\n"
	"\t! declare -F __ltrim_colon_completions >/dev/null || __ltrim_colon_completions \"$word\"\n"
	"}\n"
	"complete -o bashdefault -o default -F _slxc slxc\n";

static const char zsh[] =
	"_slxc() {\n"
	"\tif (( CURRENT == 2 )); then\n"
	"\t\tcompadd -- $(slxc --help | sed -n 's/^  \\([a-z]*\\) .*/\\1/p') --store --help --version\n"
	"\telif [[ $PREFIX == -* ]]; then\n"
	"\t\tcompadd -- $(slxc $words[2] --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)\n"
	"\telse\n"
	"\t\tcase $words[2] in\n"
	"\t\tconfig) compadd -- check show ;;\n"
	"\t\tcompletion) compadd -- bash zsh ;;\n"
	"\t\timport) _files ;;\n"
	"\t\t*) compadd -- $(slxc images 2>/dev/null | awk 'NR > 1 && $1 != \"-\" {print $1}') ;;\n"
	"\t\tesac\n"
	"\tfi\n"
	"}\n"
	"compdef _slxc slxc\n";

int cli_completion(struct cli *c, int argc, char **argv, struct err *e)
{
	static const struct option options[] = { CLI_COMMON_OPTIONS, { 0 } };
	int o, rc;

	while ((o = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		rc = cli_common_option(c, o, argv, usage, e);
		if (rc)
			return rc < 0 ? -rc : cli_flush(e);
	}
	if (argc - optind == 1 && !strcmp(argv[optind], "bash")) {
		fputs(bash, stdout);
	} else if (argc - optind == 1 && !strcmp(argv[optind], "zsh")) {
		fputs(zsh, stdout);
	} else {
		err_set(e, 0, "completion takes bash or zsh: see 'slxc completion --help'");
		return CLI_USAGE;
	}
	return cli_flush(e);
}
