/*
 * The client's side of TLS without a socket: bytes of the wire in and out, by the OpenSSL that Node.js has in its own
 * program or is linked to. Part of addon.c. What is used of it is the stable ABI of OpenSSL 3, declared here and looked up
 * when it is first needed. The peer's certificate is not looked at (docs/decisions/0005): that is for node:tls.
 */
#include <dlfcn.h>
#include <pthread.h>

#define OPENSSL_FUNCTIONS(F) \
  F(unsigned, OPENSSL_version_major, (void)) \
  F(const void *, TLS_client_method, (void)) \
  F(void *, SSL_CTX_new, (const void *)) \
  F(void, SSL_CTX_free, (void *)) \
  F(long, SSL_CTX_ctrl, (void *, int, long, void *)) \
  F(int, SSL_CTX_set_ciphersuites, (void *, const char *)) \
  F(int, SSL_CTX_set_cipher_list, (void *, const char *)) \
  F(void, SSL_CTX_set_cert_verify_callback, (void *, int (*)(void *, void *), void *)) \
  F(void *, SSL_new, (void *)) \
  F(void, SSL_free, (void *)) \
  F(long, SSL_ctrl, (void *, int, long, void *)) \
  F(void, SSL_set_bio, (void *, void *, void *)) \
  F(void, SSL_set_connect_state, (void *)) \
  F(int, SSL_do_handshake, (void *)) \
  F(int, SSL_read, (void *, void *, int)) \
  F(int, SSL_write, (void *, const void *, int)) \
  F(int, SSL_shutdown, (void *)) \
  F(int, SSL_get_error, (const void *, int)) \
  F(const void *, BIO_s_mem, (void)) \
  F(void *, BIO_new, (const void *)) \
  F(int, BIO_free, (void *)) \
  F(int, BIO_read, (void *, void *, int)) \
  F(int, BIO_write, (void *, const void *, int)) \
  F(void, ERR_clear_error, (void)) \
  F(unsigned long, ERR_get_error, (void)) \
  F(const char *, ERR_reason_error_string, (unsigned long))

static struct {
#define POINTER(result, name, arguments) result(*name) arguments;
  OPENSSL_FUNCTIONS(POINTER)
#undef POINTER
} openssl;

/* openssl/ssl.h, openssl/tls1.h */
enum {
  SSL_ERROR_WANT_READ = 2,
  SSL_ERROR_ZERO_RETURN = 6,
  SSL_CTRL_SET_SESS_CACHE_MODE = 44,
  SSL_CTRL_SET_TLSEXT_HOSTNAME = 55,
  SSL_CTRL_SET_MIN_PROTO_VERSION = 123,
  TLS1_2_VERSION = 0x303
};

static pthread_mutex_t tls_lock = PTHREAD_MUTEX_INITIALIZER;
/* One for the process and never freed: NULL until the first tlsPrepare, or where there is no OpenSSL 3. */
static void *tls_context;

/* Without it OpenSSL would look for a chain, and nobody would ask what it found. */
static int take_as_it_is(void *store, void *nothing) {
  (void)store, (void)nothing;
  return 1;
}

static int find_openssl(void) {
#define FIND(result, name, arguments) \
  if ((*(void **)&openssl.name = dlsym(RTLD_DEFAULT, #name)) == NULL) return 0;
  OPENSSL_FUNCTIONS(FIND)
#undef FIND
  return openssl.OPENSSL_version_major() == 3;
}

static void *new_context(const char *suites, const char *ciphers) {
  void *context = openssl.SSL_CTX_new(openssl.TLS_client_method());
  if (context != NULL) {
    openssl.SSL_CTX_set_cert_verify_callback(context, take_as_it_is, NULL);
    openssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, 0, NULL);
    if (openssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL) == 1 &&
        openssl.SSL_CTX_set_ciphersuites(context, suites) == 1 &&
        openssl.SSL_CTX_set_cipher_list(context, ciphers) == 1)
      return context;
    openssl.SSL_CTX_free(context);
  }
  openssl.ERR_clear_error();
  return NULL;
}

static int text(napi_env env, napi_value value, char *result, size_t size) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, result, size, &length) == napi_ok && length + 1 < size) return 1;
  wrong(env, "a shorter string was expected");
  return 0;
}

/* tlsPrepare(suites, ciphers) → whether there can be sessions; the first call decides what they offer */
static napi_value tls_prepare(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  char suites[512], ciphers[2048];
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (!text(env, args[0], suites, sizeof suites) || !text(env, args[1], ciphers, sizeof ciphers)) return NULL;
  pthread_mutex_lock(&tls_lock);
  if (tls_context == NULL && find_openssl()) tls_context = new_context(suites, ciphers);
  pthread_mutex_unlock(&tls_lock);
  return boolean(env, tls_context != NULL);
}

typedef struct {
  void *ssl;  /* NULL once closed */
  void *in, *out;
} Session;

static void session_release(Session *self) {
  if (self->ssl != NULL) openssl.SSL_free(self->ssl);
  self->ssl = NULL;
}

static void session_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  session_release(data);
  free(data);
}

/* new TlsSession(serverName?) */
static napi_value session_construct(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value args[1], this;
  char name[256];
  napi_get_cb_info(env, info, &count, args, &this, NULL);
  if (tls_context == NULL) return wrong(env, "prepare it first");
  int named = !is_absent(env, args[0]);
  if (named && !text(env, args[0], name, sizeof name)) return NULL;
  Session *self = calloc(1, sizeof *self);
  if (self == NULL) return fail(env, ENOMEM, "tls");
  self->ssl = openssl.SSL_new(tls_context);
  self->in = openssl.BIO_new(openssl.BIO_s_mem());
  self->out = openssl.BIO_new(openssl.BIO_s_mem());
  if (self->ssl != NULL && self->in != NULL && self->out != NULL) {
    openssl.SSL_set_bio(self->ssl, self->in, self->out);
    openssl.SSL_set_connect_state(self->ssl);
    if ((!named || openssl.SSL_ctrl(self->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0, name) == 1) &&
        napi_wrap(env, this, self, session_collected, NULL, NULL) == napi_ok)
      return this;
  } else {
    openssl.BIO_free(self->in);
    openssl.BIO_free(self->out);
  }
  session_release(self);
  free(self);
  openssl.ERR_clear_error();
  return fail(env, ENOMEM, "tls");
}

static Session *open_session(napi_env env, napi_callback_info info, size_t count, napi_value *args) {
  napi_value this;
  Session *self = NULL;
  if (napi_get_cb_info(env, info, &count, args, &this, NULL) == napi_ok &&
      napi_unwrap(env, this, (void **)&self) == napi_ok && self->ssl != NULL)
    return self;
  wrong(env, "not an open TlsSession");
  return NULL;
}

/* What OpenSSL says, in its words: `wrong version number`. It leaves nothing for Node.js to find. */
static napi_value session_failure(napi_env env) {
  const char *reason = openssl.ERR_reason_error_string(openssl.ERR_get_error());
  openssl.ERR_clear_error();
  napi_throw_error(env, "ERR_SSL", reason == NULL ? "unknown error" : reason);
  return NULL;
}

/* handshake() → whether it is done */
static napi_value session_handshake(napi_env env, napi_callback_info info) {
  Session *self = open_session(env, info, 0, NULL);
  if (self == NULL) return NULL;
  openssl.ERR_clear_error();
  int done = openssl.SSL_do_handshake(self->ssl);
  if (done != 1 && openssl.SSL_get_error(self->ssl, done) != SSL_ERROR_WANT_READ) return session_failure(env);
  return boolean(env, done == 1);
}

/* feed(data): what came over the wire */
static napi_value session_feed(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void *data;
  size_t length;
  Session *self = open_session(env, info, 1, args);
  if (self == NULL || !bytes(env, args[0], &data, &length)) return NULL;
  if (length > 0 && openssl.BIO_write(self->in, data, (int)length) != (int)length) return fail(env, ENOMEM, "tls");
  return NULL;
}

/* read(into) → bytes; 0 after close_notify, -1: nothing for now */
static napi_value session_read(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void *data;
  size_t length;
  Session *self = open_session(env, info, 1, args);
  if (self == NULL || !bytes(env, args[0], &data, &length)) return NULL;
  openssl.ERR_clear_error();
  int got = openssl.SSL_read(self->ssl, data, length > 1 << 20 ? 1 << 20 : (int)length);
  if (got > 0) return number(env, got);
  int error = openssl.SSL_get_error(self->ssl, got);
  if (error == SSL_ERROR_ZERO_RETURN) return number(env, 0);
  if (error == SSL_ERROR_WANT_READ) return number(env, -1);
  return session_failure(env);
}

/* write(data) */
static napi_value session_write(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void *data;
  size_t length;
  Session *self = open_session(env, info, 1, args);
  if (self == NULL || !bytes(env, args[0], &data, &length)) return NULL;
  openssl.ERR_clear_error();
  if (length > 0 && length < 1 << 30 && openssl.SSL_write(self->ssl, data, (int)length) <= 0) return session_failure(env);
  return NULL;
}

/* take(into) → bytes for the wire; 0: there are no more */
static napi_value session_take(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void *data;
  size_t length;
  Session *self = open_session(env, info, 1, args);
  if (self == NULL || !bytes(env, args[0], &data, &length)) return NULL;
  int got = openssl.BIO_read(self->out, data, length > 1 << 20 ? 1 << 20 : (int)length);
  return number(env, got < 0 ? 0 : got);
}

/* shutdown(): there is a close_notify to take */
static napi_value session_shutdown(napi_env env, napi_callback_info info) {
  Session *self = open_session(env, info, 0, NULL);
  if (self == NULL) return NULL;
  openssl.SSL_shutdown(self->ssl);
  openssl.ERR_clear_error();
  return NULL;
}

/* close(); once more does nothing */
static napi_value session_close(napi_env env, napi_callback_info info) {
  size_t count = 0;
  napi_value this;
  Session *self = NULL;
  if (napi_get_cb_info(env, info, &count, NULL, &this, NULL) != napi_ok ||
      napi_unwrap(env, this, (void **)&self) != napi_ok)
    return wrong(env, "not a TlsSession");
  session_release(self);
  return NULL;
}
