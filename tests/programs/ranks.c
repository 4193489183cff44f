/*
 * ranks KEY: two tasks of one step talk as MPI ranks on one node do. They meet in POSIX shared memory; each then reads
 * the other's memory with process_vm_readv() (CMA) by the pid that the other wrote there, and rank 1 finds rank 0's
 * System V segment and signals it. Prints "rank N ok", or what failed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct meeting {
	atomic_int ready[2], done[2];
	pid_t pid[2];
	void *address[2];
	int segment;
};

static char memory[1 << 20];
static volatile sig_atomic_t signalled;

static void on_signal(int number) { (void)number; signalled = 1; }

static int fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

static int wait_flag(atomic_int *flag)
{
	for (int i = 0; i < 10000; i++) {
		if (*flag)
			return 0;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	errno = ETIMEDOUT;
	return -1;
}

static int read_other(const struct meeting *m, int other)
{
	static char copy[sizeof(memory)];
	struct iovec here = { copy, sizeof(copy) }, there = { m->address[other], sizeof(copy) };

	if (process_vm_readv(m->pid[other], &here, 1, &there, 1, 0) != sizeof(copy))
		return -1;
	for (size_t i = 0; i < sizeof(copy); i++)
		if (copy[i] != (char)(other + 1)) {
			errno = EBADMSG;
			return -1;
		}
	return 0;
}

int main(int argc, char **argv)
{
	const char *number = getenv("SLURM_PROCID");
	int me = number ? atoi(number) : 0, other = !me, fd;
	char name[64], *text;
	struct meeting *m;

	if (argc != 2 || me > 1)
		return 2;
	signal(SIGUSR1, on_signal);
	memset(memory, me + 1, sizeof(memory));
	snprintf(name, sizeof(name), "/slxc-ranks-%s", argv[1]);
	fd = shm_open(name, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*m)) < 0)
		return fail("shm_open");
	m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m == MAP_FAILED)
		return fail("mmap");
	m->pid[me] = getpid();
	m->address[me] = memory;
	if (me == 0) {
		m->segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
		text = m->segment < 0 ? (void *)-1 : shmat(m->segment, NULL, 0);
		if (text == (void *)-1)
			return fail("shmget");
		strcpy(text, "from rank 0");
	}
	m->ready[me] = 1;
	if (wait_flag(&m->ready[other]) < 0)
		return fail("the other rank");
	if (read_other(m, other) < 0)
		return fail("process_vm_readv");
	if (me == 1) {
		text = shmat(m->segment, NULL, SHM_RDONLY);
		if (text == (void *)-1 || strcmp(text, "from rank 0"))
			return fail("shmat");
		if (kill(m->pid[0], SIGUSR1) < 0)
			return fail("kill");
	}
	m->done[me] = 1;
	if (wait_flag(&m->done[other]) < 0)
		return fail("the end of the other rank");
	if (me == 0) {
		shmctl(m->segment, IPC_RMID, NULL);
		shm_unlink(name);
		if (!signalled)
			return fail("no signal came");
	}
	printf("rank %d ok\n", me);
	return 0;
}
