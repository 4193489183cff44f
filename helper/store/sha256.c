#include <config.h>

#include "sha256.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct sha256 {
	EVP_MD_CTX *ctx;
};

struct sha256 *sha256_create(struct err *e)
{
	struct sha256 *h = calloc(1, sizeof(*h));

	if (h)
		h->ctx = EVP_MD_CTX_new();
	if (!h || !h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
		sha256_destroy(h);
		err_set(e, 0, "libcrypto gives no SHA-256");
		return NULL;
	}
	return h;
}

void sha256_destroy(struct sha256 *h)
{
	if (h)
		EVP_MD_CTX_free(h->ctx);
	free(h);
}

int sha256_update(struct sha256 *h, const void *buf, size_t size, struct err *e)
{
	if (EVP_DigestUpdate(h->ctx, buf, size) != 1)
		return err_set(e, 0, "libcrypto failed to hash");
	return 0;
}

int sha256_final(struct sha256 *h, char sep, char *out, struct err *e)
{
	unsigned char sum[32];

	if (EVP_DigestFinal_ex(h->ctx, sum, NULL) != 1)
		return err_set(e, 0, "libcrypto failed to hash");
	out += sprintf(out, "sha256%c", sep);
	for (size_t i = 0; i < sizeof(sum); i++)
		out += sprintf(out, "%02x", sum[i]);
	return 0;
}
