#include "config.h"

#include "intercept.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The word through which the program calls fork(), see the PLT and GOT in the System V ABI, and what was there. */
static struct slot {
	uintptr_t *at;
	uintptr_t before;
	bool read_only; /* RELRO */
} slot;

static int slot_set(uintptr_t value)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *start = (char *)slot.at - (uintptr_t)slot.at % page; /* an aligned word is in one page */

	if (slot.read_only && mprotect(start, page, PROT_READ | PROT_WRITE) < 0)
		return -1;
	__atomic_store_n(slot.at, value, __ATOMIC_RELEASE);
	if (slot.read_only)
		mprotect(start, page, PROT_READ);
	return 0;
}

struct tables {
	const char *strings;
	const ElfW(Sym) *symbols;
	const ElfW(Rela) *plt, *data;
	size_t plt_size, data_size;
	bool is_rela;
};

/* glibc has made these addresses absolute, but not on every architecture */
static const void *table(const struct dl_phdr_info *p, uintptr_t value)
{
	return (const void *)(value < p->dlpi_addr ? p->dlpi_addr + value : value);
}

static void read_tables(const struct dl_phdr_info *p, const ElfW(Dyn) *d, struct tables *t)
{
	for (; d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_STRTAB: t->strings = table(p, d->d_un.d_ptr); break;
		case DT_SYMTAB: t->symbols = table(p, d->d_un.d_ptr); break;
		case DT_JMPREL: t->plt = table(p, d->d_un.d_ptr); break;
		case DT_PLTRELSZ: t->plt_size = d->d_un.d_val; break;
		case DT_PLTREL: t->is_rela = d->d_un.d_val == DT_RELA; break;
		case DT_RELA: t->data = table(p, d->d_un.d_ptr); break;
		case DT_RELASZ: t->data_size = d->d_un.d_val; break;
		}
	}
}

/* The entry for fork. Not yet bound when lazy: whatever is in a slot of the PLT is right; any other holds its address. */
static uintptr_t *find(const struct dl_phdr_info *p, const struct tables *t, const ElfW(Rela) *r, size_t size, uintptr_t holds)
{
	for (const ElfW(Rela) *end = r + size / sizeof(*r); r && r < end; r++) {
		uintptr_t *at = (uintptr_t *)(p->dlpi_addr + r->r_offset);
		/* the same bits on every architecture of that size */
		size_t symbol = sizeof(uintptr_t) == 8 ? (uint64_t)r->r_info >> 32 : r->r_info >> 8;

		if (symbol && !strcmp(t->strings + t->symbols[symbol].st_name, "fork") && (!holds || *at == holds))
			return at;
	}
	return NULL;
}

/* The first object is the program itself. */
static int look(struct dl_phdr_info *p, size_t size, void *unused)
{
	struct tables t = { 0 };

	(void)size;
	(void)unused;
	for (int i = 0; i < p->dlpi_phnum; i++)
		if (p->dlpi_phdr[i].p_type == PT_DYNAMIC)
			read_tables(p, (const ElfW(Dyn) *)(p->dlpi_addr + p->dlpi_phdr[i].p_vaddr), &t);
	if (!t.strings || !t.symbols)
		return -1;
	if (t.is_rela)
		slot.at = find(p, &t, t.plt, t.plt_size, 0);
	if (!slot.at)
		slot.at = find(p, &t, t.data, t.data_size, (uintptr_t)fork);
	if (!slot.at)
		return -1;
	for (int i = 0; i < p->dlpi_phnum; i++)
		if (p->dlpi_phdr[i].p_type == PT_GNU_RELRO)
			slot.read_only = (uintptr_t)slot.at - p->dlpi_addr - p->dlpi_phdr[i].p_vaddr < p->dlpi_phdr[i].p_memsz;
	return 1;
}

int intercept_fork(pid_t (*instead)(void))
{
	if (slot.at)
		return 0;
	if (dl_iterate_phdr(look, NULL) != 1 || !slot.at)
		return -1;
	slot.before = *slot.at;
	if (slot_set((uintptr_t)instead) < 0) {
		slot.at = NULL;
		return -1;
	}
	return 0;
}

/* Slurm unloads its plugins before it ends, and may fork then. */
__attribute__((destructor)) static void give_back(void)
{
	if (slot.at)
		slot_set(slot.before);
	slot.at = NULL;
}
