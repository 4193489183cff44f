/*
 * use_up files|threads|processes N: takes up to N of them, says how many it got
 * ("files: 1000"), and keeps them. Files are opened and unlinked in /; processes
 * are orphans in sessions of their own, deaf to what can be ignored, every
 * second one stopped.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int take_file(int i)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/use_up.%d", i);
	fd = open(name, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return -1;
	if (i % 2)
		unlink(name);
	if (write(fd, name, sizeof(name)) < 0)
		return -1;
	mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return 0;
}

static void *sleep_on(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int take_thread(int i)
{
	pthread_attr_t attr;
	pthread_t t;

	(void)i;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	return pthread_create(&t, &attr, sleep_on, NULL) ? -1 : 0;
}

static int take_process(int i)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0 ? -1 : 0;
	setsid();
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_IGN);
	if (i % 2)
		raise(SIGSTOP);
	sleep_on(NULL);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	int (*take)(int) = !strcmp(what, "files") ? take_file : !strcmp(what, "threads") ? take_thread : take_process;
	int wanted = argc > 2 ? atoi(argv[2]) : 0, n = 0;

	while (n < wanted && take(n) == 0)
		n++;
	printf("%s: %d\n", what, n);
	fflush(stdout);
	sleep_on(NULL);
}
