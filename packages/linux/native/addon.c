/*
 * One generic non-blocking socket for Node.js, and the few system calls beside it that Node does not offer.
 * Addresses, options and control messages are bytes laid out in TypeScript (../src/native.ts): this file knows no
 * protocol. Node-API version 8; libuv is part of every node binary, so its few functions are declared here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/filter.h>
#include <node_api.h>

/* The part of libuv's stable ABI that is used (uv.h). */
typedef struct uv_handle uv_handle_t;
enum { UV_POLL = 8, UV_TIMER = 13, UV_READABLE = 1, UV_WRITABLE = 2 };
extern size_t uv_handle_size(int type);
extern int uv_poll_init(struct uv_loop_s *loop, uv_handle_t *poll, int fd);
extern int uv_poll_start(uv_handle_t *poll, int events, void (*callback)(uv_handle_t *, int status, int events));
extern int uv_poll_stop(uv_handle_t *poll);
extern int uv_timer_init(struct uv_loop_s *loop, uv_handle_t *timer);
extern int uv_timer_start(uv_handle_t *timer, void (*callback)(uv_handle_t *), uint64_t timeout, uint64_t repeat);
extern int uv_timer_stop(uv_handle_t *timer);
extern uint64_t uv_now(const struct uv_loop_s *loop);
extern struct uv_loop_s *uv_handle_get_loop(const uv_handle_t *handle);
extern void uv_close(uv_handle_t *handle, void (*callback)(uv_handle_t *));
extern void uv_ref(uv_handle_t *handle);
extern void uv_unref(uv_handle_t *handle);
extern void *uv_handle_get_data(const uv_handle_t *handle);
extern void uv_handle_set_data(uv_handle_t *handle, void *data);
extern uint64_t uv_hrtime(void);
extern char *uv_err_name_r(int error, char *text, size_t size);

enum { MESSAGES_PER_TURN = 64, NANOSECONDS_PER_TURN = 2000000, MAX_BUFFER = 16 << 20, MAX_CONTROL = 1 << 16 };

/* The listener's first argument; native.ts has the same numbers. */
enum { ON_MESSAGE = 0, ON_WRITABLE = 1, ON_ERROR = 2, ON_READABLE = 3 };

typedef struct {
  napi_env env;
  int fd;                /* -1 once closed or detached */
  int domain;
  int connected;         /* stream or seqpacket: an empty read is the end, an error ends reading */
  int flags;             /* for recvmsg */
  int reading, writing;  /* what is waited for */
  int many;              /* that there is something to read is told, and knock reads it */
  int parts;             /* what still needs this memory: the poll handle, the JavaScript object */
  uv_handle_t *poll;
  napi_ref object, listener;  /* strong while open: an open socket is not collected */
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  size_t data_size, control_size;
  unsigned char *data;        /* followed by the control bytes */
} Socket;

/* ---- errors and arguments ---- */

/* An Error as Node's own: `bind EADDRINUSE`, with code, errno (negative) and syscall. */
static napi_value system_error(napi_env env, int number, const char *call) {
  char code[64], text[128];
  napi_value error = NULL, value, message;
  uv_err_name_r(-number, code, sizeof code);
  strcpy(text, call);
  strcat(text, " ");
  strcat(text, code);
  napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &value);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message);
  if (napi_create_error(env, value, message, &error) != napi_ok) return NULL;
  napi_create_int32(env, -number, &value);
  napi_set_named_property(env, error, "errno", value);
  napi_create_string_utf8(env, call, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, error, "syscall", value);
  return error;
}

static napi_value fail(napi_env env, int number, const char *call) {
  napi_value error = system_error(env, number, call);
  if (error != NULL) napi_throw(env, error);
  return NULL;
}

static napi_value wrong(napi_env env, const char *what) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", what);
  return NULL;
}

static int integer(napi_env env, napi_value value, int *result) {
  if (napi_get_value_int32(env, value, result) == napi_ok) return 1;
  wrong(env, "an integer was expected");
  return 0;
}

static int is_absent(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_undefined;
}

/* The bytes of a Uint8Array (a Buffer is one). They are only valid until control returns to JavaScript. */
static int bytes(napi_env env, napi_value value, void **data, size_t *length) {
  napi_typedarray_type type;
  bool is = false;
  if (napi_is_typedarray(env, value, &is) == napi_ok && is &&
      napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok && type == napi_uint8_array)
    return 1;
  wrong(env, "a Uint8Array was expected");
  return 0;
}

/* The same of an Int32Array. */
static int integers(napi_env env, napi_value value, int32_t **data, size_t *count) {
  napi_typedarray_type type;
  bool is = false;
  if (napi_is_typedarray(env, value, &is) == napi_ok && is &&
      napi_get_typedarray_info(env, value, &type, count, (void **)data, NULL, NULL) == napi_ok && type == napi_int32_array)
    return 1;
  wrong(env, "an Int32Array was expected");
  return 0;
}

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

static napi_value boolean(napi_env env, int value) {
  napi_value result = NULL;
  napi_get_boolean(env, value != 0, &result);
  return result;
}

/* The open socket behind `this`, its arguments in `args`; NULL, with an exception pending, when it is closed. */
static Socket *open_socket(napi_env env, napi_callback_info info, size_t count, napi_value *args, const char *call) {
  napi_value self;
  Socket *socket = NULL;
  if (napi_get_cb_info(env, info, &count, args, &self, NULL) != napi_ok ||
      napi_unwrap(env, self, (void **)&socket) != napi_ok) {
    wrong(env, "not a Socket");
    return NULL;
  }
  if (socket->fd >= 0) return socket;
  fail(env, EBADF, call);
  return NULL;
}

/* ---- life and death ---- */

static void drop(Socket *self) {
  if (--self->parts > 0) return;
  free(self->data);
  free(self->poll);
  free(self);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  drop(data);
}

static void on_closed(uv_handle_t *poll) {
  Socket *self = uv_handle_get_data(poll);
  if (self->hook != NULL) napi_remove_async_cleanup_hook(self->hook); /* a worker that ends waits for this */
  drop(self);
}

/* Stops everything and lets go of the object; the descriptor is the caller's now. uv_close takes it out of epoll. */
static int release(Socket *self) {
  int fd = self->fd;
  self->fd = -1;
  self->reading = self->writing = 0;
  uv_close(self->poll, on_closed);
  if (self->listener != NULL) napi_delete_reference(self->env, self->listener);
  if (self->object != NULL) napi_delete_reference(self->env, self->object);
  if (self->context != NULL) napi_async_destroy(self->env, self->context);
  self->listener = self->object = NULL;
  self->context = NULL;
  return fd;
}

/* The thread's environment ends: close, so that it can. */
static void on_teardown(napi_async_cleanup_hook_handle handle, void *data) {
  Socket *self = data;
  (void)handle;
  if (self->fd >= 0) close(release(self));
}

/* ---- events ---- */

static void on_poll(uv_handle_t *poll, int status, int events);

static int watch(Socket *self) {
  int events = (self->reading ? UV_READABLE : 0) | (self->writing ? UV_WRITABLE : 0);
  return events != 0 ? uv_poll_start(self->poll, events, on_poll) : uv_poll_stop(self->poll);
}

/* Calls a listener. What it throws is an uncaughtException, as from any other event; it never ends the process here. */
static void call_listener(napi_env env, napi_ref object, napi_ref listener, size_t count, const napi_value *args) {
  napi_value this, function, result, error;
  if (napi_get_reference_value(env, object, &this) != napi_ok || this == NULL ||
      napi_get_reference_value(env, listener, &function) != napi_ok || function == NULL)
    return;
  if (napi_call_function(env, this, function, count, args, &result) == napi_pending_exception &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok)
    napi_fatal_exception(env, error);
}

static void emit(Socket *self, int kind, napi_value first, napi_value address, napi_value control, int flags) {
  napi_env env = self->env;
  napi_value args[5];
  if (napi_create_int32(env, kind, &args[0]) != napi_ok) return;
  args[1] = first;
  args[2] = address;
  args[3] = control;
  napi_create_int32(env, flags, &args[4]);
  call_listener(env, self->object, self->listener, 5, args);
}

static void emit_error(Socket *self, int error, const char *call) {
  napi_value none;
  if (napi_get_undefined(self->env, &none) != napi_ok) return;
  emit(self, ON_ERROR, system_error(self->env, error, call), none, none, 0);
}

/* A fresh Buffer for each message: the listener may keep it. */
static int emit_message(Socket *self, size_t length, struct msghdr *message) {
  napi_env env = self->env;
  napi_value none, data, address, control;
  if (napi_get_undefined(env, &none) != napi_ok) return 0;
  address = control = none;
  if (napi_create_buffer_copy(env, length, self->data, NULL, &data) != napi_ok) return 0;
  if (message->msg_namelen > 0 &&
      napi_create_buffer_copy(env, message->msg_namelen, message->msg_name, NULL, &address) != napi_ok)
    return 0;
  if (message->msg_controllen > 0 &&
      napi_create_buffer_copy(env, message->msg_controllen, message->msg_control, NULL, &control) != napi_ok)
    return 0;
  emit(self, ON_MESSAGE, data, address, control, message->msg_flags & ~MSG_CMSG_CLOEXEC);
  return 1;
}

/*
 * Reads what is there, at most so much that other handles of the loop get their turn; what is left is told again. A dump over
 * netlink is made while it is read, which takes much longer than reading a packet. The listener may close.
 */
static void receive(Socket *self, int flags) {
  napi_env env = self->env;
  uint64_t began = uv_hrtime();
  for (int i = 0; i < MESSAGES_PER_TURN && self->fd >= 0 && (self->reading || flags != 0); i++) {
    if (i > 0 && self->domain == AF_NETLINK && uv_hrtime() - began > NANOSECONDS_PER_TURN) return;
    struct sockaddr_storage from;
    struct iovec part = {self->data, self->data_size};
    struct msghdr message;
    napi_handle_scope scope;
    ssize_t length;
    memset(&message, 0, sizeof message);
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = self->control_size > 0 ? self->data + self->data_size : NULL;
    message.msg_controllen = self->control_size;
    length = recvmsg(self->fd, &message, flags | self->flags);
    int error = errno;
    if (length < 0 && error == EINTR) continue;
    if (length < 0 && (error == EAGAIN || error == EWOULDBLOCK)) return;
    if (length < 0 ? self->connected || error == EBADF || error == ENOTSOCK : self->connected && length == 0) {
      self->reading = 0; /* nothing more can come; polling on would spin */
      watch(self);
    }
    if (napi_open_handle_scope(env, &scope) != napi_ok) return;
    int running = 1;
    if (length < 0) emit_error(self, error, "recvmsg");
    else running = emit_message(self, (size_t)length, &message);
    napi_close_handle_scope(env, scope);
    if (!running) return;
  }
}

static void emit_bare(Socket *self, int kind) {
  napi_value none;
  if (napi_get_undefined(self->env, &none) == napi_ok) emit(self, kind, none, none, none, 0);
}

static void on_writable(Socket *self) {
  self->writing = 0;
  watch(self);
  emit_bare(self, ON_WRITABLE);
}

/*
 * EPOLLERR: libuv says EBADF and stops the handle, whatever the error is. The socket has the true one: ENOBUFS (netlink),
 * ENETDOWN (packet), ECONNREFUSED. None at all: a call in between has taken it, or it waits in the error queue.
 */
static void on_failure(Socket *self) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) {
    error = errno; /* the descriptor is gone: somebody else closed it */
    self->reading = self->writing = 0;
  }
  if (error != 0) self->writing = 0;
  watch(self);
  if (error != 0) emit_error(self, error, "poll");
  else receive(self, MSG_ERRQUEUE);
}

/* One turn: microtasks and ticks of all its messages run at its end. */
static void on_poll(uv_handle_t *poll, int status, int events) {
  Socket *self = uv_handle_get_data(poll);
  napi_env env = self->env;
  napi_handle_scope scope;
  napi_callback_scope turn;
  napi_value this;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_reference_value(env, self->object, &this) == napi_ok &&
      napi_open_callback_scope(env, this, self->context, &turn) == napi_ok) {
    if (status < 0) on_failure(self);
    else {
      if ((events & UV_WRITABLE) != 0 && self->writing) on_writable(self);
      if ((events & UV_READABLE) != 0 && self->many && self->reading) emit_bare(self, ON_READABLE);
      else if ((events & UV_READABLE) != 0) receive(self, 0);
    }
    napi_close_callback_scope(env, turn);
  }
  napi_close_handle_scope(env, scope);
}

/* ---- the class ---- */

/* new Socket(domain, type, protocol, onEvent, bufferBytes, controlBytes) */
static napi_value construct(napi_env env, napi_callback_info info) {
  size_t count = 6;
  napi_value args[6], this, target, name;
  int domain, type, protocol, data_size, control_size;
  napi_valuetype listener;
  struct uv_loop_s *loop;
  napi_get_cb_info(env, info, &count, args, &this, NULL);
  if (napi_get_new_target(env, info, &target) != napi_ok || target == NULL) return wrong(env, "use new");
  if (!integer(env, args[0], &domain) || !integer(env, args[1], &type) || !integer(env, args[2], &protocol) ||
      !integer(env, args[4], &data_size) || !integer(env, args[5], &control_size))
    return NULL;
  if (napi_typeof(env, args[3], &listener) != napi_ok || listener != napi_function)
    return wrong(env, "a function was expected");
  if (data_size < 1 || data_size > MAX_BUFFER || control_size < 0 || control_size > MAX_CONTROL)
    return wrong(env, "buffer size out of range");

  Socket *self = calloc(1, sizeof *self);
  if (self == NULL) return fail(env, ENOMEM, "socket");
  self->env = env;
  self->domain = domain;
  self->data_size = (size_t)data_size;
  self->control_size = (size_t)control_size;
  self->data = malloc(self->data_size + self->control_size);
  self->poll = calloc(1, uv_handle_size(UV_POLL));
  self->parts = 1;
  /* CLOEXEC in the same call: a script started by another thread meanwhile must not inherit it. */
  self->fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (self->data == NULL || self->poll == NULL || self->fd < 0) {
    int error = self->fd < 0 ? errno : ENOMEM;
    if (self->fd >= 0) close(self->fd);
    drop(self);
    return fail(env, error, "socket");
  }
  int kind = type & 0xf;
  /* Only AF_UNIX passes descriptors; AF_PACKET refuses flags it does not know. */
  self->flags = MSG_DONTWAIT | (domain == AF_UNIX ? MSG_CMSG_CLOEXEC : 0);
  self->connected = kind == SOCK_STREAM || kind == SOCK_SEQPACKET;
  uv_handle_set_data(self->poll, self);
  int failed = napi_get_uv_event_loop(env, &loop) != napi_ok ? -EINVAL : uv_poll_init(loop, self->poll, self->fd);
  if (failed != 0) {
    close(self->fd);
    drop(self);
    return fail(env, -failed, "uv_poll_init");
  }
  if (napi_wrap(env, this, self, on_collected, NULL, NULL) == napi_ok) {
    self->parts = 2;
    if (napi_create_reference(env, this, 1, &self->object) == napi_ok &&
        napi_create_reference(env, args[3], 1, &self->listener) == napi_ok &&
        napi_create_string_utf8(env, "KernelSocket", NAPI_AUTO_LENGTH, &name) == napi_ok &&
        napi_async_init(env, this, name, &self->context) == napi_ok &&
        napi_add_async_cleanup_hook(env, on_teardown, self, &self->hook) == napi_ok)
      return this;
  }
  close(release(self));
  return fail(env, ENOMEM, "socket");
}

/* bind(address) */
static napi_value socket_bind(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void *address;
  size_t length;
  Socket *self = open_socket(env, info, 1, args, "bind");
  if (self == NULL || !bytes(env, args[0], &address, &length)) return NULL;
  if (bind(self->fd, address, (socklen_t)length) < 0) return fail(env, errno, "bind");
  return NULL;
}

/* connect(address) → false while it is under way (EINPROGRESS): wait for writable, then ask SO_ERROR */
static napi_value socket_connect(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void *address;
  size_t length;
  Socket *self = open_socket(env, info, 1, args, "connect");
  if (self == NULL || !bytes(env, args[0], &address, &length)) return NULL;
  int done = connect(self->fd, address, (socklen_t)length) == 0;
  /* An interrupted connect goes on by itself, as one under way does. */
  if (!done && errno != EINPROGRESS && errno != EINTR) return fail(env, errno, "connect");
  return boolean(env, done);
}

/* setsockopt(level, option, value) */
static napi_value socket_setsockopt(napi_env env, napi_callback_info info) {
  napi_value args[3];
  int level, option;
  void *value;
  size_t length;
  Socket *self = open_socket(env, info, 3, args, "setsockopt");
  if (self == NULL || !integer(env, args[0], &level) || !integer(env, args[1], &option) ||
      !bytes(env, args[2], &value, &length))
    return NULL;
  if (setsockopt(self->fd, level, option, value, (socklen_t)length) < 0) return fail(env, errno, "setsockopt");
  return NULL;
}

/* attachFilter(instructions): classic BPF (linux/filter.h), whose option has a pointer and so needs a method */
static napi_value socket_attach_filter(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void *instructions;
  size_t length;
  Socket *self = open_socket(env, info, 1, args, "setsockopt");
  if (self == NULL || !bytes(env, args[0], &instructions, &length)) return NULL;
  struct sock_fprog program = {.len = (unsigned short)(length / sizeof(struct sock_filter)), .filter = instructions};
  if (length % sizeof(struct sock_filter) != 0 || length > BPF_MAXINSNS * sizeof(struct sock_filter))
    return wrong(env, "instructions of eight bytes were expected");
  if (setsockopt(self->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
    return fail(env, errno, "setsockopt");
  return NULL;
}

/* getsockopt(level, option, bytes) → Buffer */
static napi_value socket_getsockopt(napi_env env, napi_callback_info info) {
  napi_value args[3], result = NULL;
  int level, option, size;
  unsigned char value[4096];
  Socket *self = open_socket(env, info, 3, args, "getsockopt");
  if (self == NULL || !integer(env, args[0], &level) || !integer(env, args[1], &option) || !integer(env, args[2], &size))
    return NULL;
  if (size < 0 || (size_t)size > sizeof value) return wrong(env, "an option has 0 to 4096 bytes");
  socklen_t length = (socklen_t)size;
  if (getsockopt(self->fd, level, option, value, &length) < 0) return fail(env, errno, "getsockopt");
  if (length > (socklen_t)size) length = (socklen_t)size;
  napi_create_buffer_copy(env, length, value, NULL, &result);
  return result;
}

/*
 * ioctl(request, data, pointed?, at?): the kernel reads and writes `data` in place. Where it has a pointer in it, to
 * `pointed`, that is filled in at the offset `at` first. The call may look at no more than what is given: the numbers of
 * netdevice(7), whose structures are of a fixed size.
 */
static napi_value socket_ioctl(napi_env env, napi_callback_info info) {
  napi_value args[4];
  int64_t request;
  int at;
  void *data, *pointed;
  size_t length, pointed_length;
  Socket *self = open_socket(env, info, 4, args, "ioctl");
  if (self == NULL) return NULL;
  if (napi_get_value_int64(env, args[0], &request) != napi_ok) return wrong(env, "an integer was expected");
  if (!bytes(env, args[1], &data, &length)) return NULL;
  if (length < sizeof(struct { char name[16]; uint64_t rest[3]; })) return wrong(env, "40 bytes were expected"); /* struct ifreq */
  if (!is_absent(env, args[2])) {
    if (!bytes(env, args[2], &pointed, &pointed_length) || !integer(env, args[3], &at)) return NULL;
    if (at < 0 || (size_t)at + sizeof pointed > length) return wrong(env, "an offset within the data was expected");
    memcpy((unsigned char *)data + at, &pointed, sizeof pointed);
  }
  return ioctl(self->fd, (unsigned long)request, data) < 0 ? fail(env, errno, "ioctl") : NULL;
}

/* getsockname() → Buffer */
static napi_value socket_getsockname(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  Socket *self = open_socket(env, info, 0, NULL, "getsockname");
  if (self == NULL) return NULL;
  if (getsockname(self->fd, (struct sockaddr *)&address, &length) < 0) return fail(env, errno, "getsockname");
  if (length > sizeof address) length = sizeof address;
  napi_create_buffer_copy(env, length, &address, NULL, &result);
  return result;
}

/* send(data, address?, control?) → bytes taken, or -1 when nothing can be taken now (EAGAIN) */
static napi_value socket_send(napi_env env, napi_callback_info info) {
  napi_value args[3];
  struct iovec part;
  struct msghdr message;
  size_t length;
  ssize_t sent;
  Socket *self = open_socket(env, info, 3, args, "sendmsg");
  if (self == NULL) return NULL;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!bytes(env, args[0], &part.iov_base, &part.iov_len)) return NULL;
  if (!is_absent(env, args[1])) {
    if (!bytes(env, args[1], &message.msg_name, &length)) return NULL;
    message.msg_namelen = (socklen_t)length;
  }
  if (!is_absent(env, args[2])) {
    if (!bytes(env, args[2], &message.msg_control, &length)) return NULL;
    message.msg_controllen = length;
  }
  do sent = sendmsg(self->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return fail(env, errno, "sendmsg");
  return number(env, (double)sent);
}

static napi_value set_waiting(napi_env env, Socket *self) {
  int failed = watch(self);
  return failed == 0 ? NULL : fail(env, -failed, "uv_poll_start");
}

/* start(many?): messages and errors are reported from now on; with true, that there are messages for knock */
static napi_value socket_start(napi_env env, napi_callback_info info) {
  napi_value args[1];
  bool many = false;
  Socket *self = open_socket(env, info, 1, args, "uv_poll_start");
  if (self == NULL) return NULL;
  if (!is_absent(env, args[0]) && napi_get_value_bool(env, args[0], &many) != napi_ok)
    return wrong(env, "a boolean was expected");
  self->many = many;
  self->reading = 1;
  return set_waiting(env, self);
}

/* stop(): no messages until the next start() */
static napi_value socket_stop(napi_env env, napi_callback_info info) {
  Socket *self = open_socket(env, info, 0, NULL, "uv_poll_stop");
  if (self == NULL) return NULL;
  self->reading = 0;
  return set_waiting(env, self);
}

/* awaitWritable(): one ON_WRITABLE (or an error) when something can be sent, or when a connect has come to its end */
static napi_value socket_await_writable(napi_env env, napi_callback_info info) {
  Socket *self = open_socket(env, info, 0, NULL, "uv_poll_start");
  if (self == NULL) return NULL;
  self->writing = 1;
  return set_waiting(env, self);
}

static napi_value socket_ref(napi_env env, napi_callback_info info) {
  Socket *self = open_socket(env, info, 0, NULL, "uv_ref");
  if (self != NULL) uv_ref(self->poll);
  return NULL;
}

static napi_value socket_unref(napi_env env, napi_callback_info info) {
  Socket *self = open_socket(env, info, 0, NULL, "uv_unref");
  if (self != NULL) uv_unref(self->poll);
  return NULL;
}

/* detach() → the descriptor, still open and now the caller's */
static napi_value socket_detach(napi_env env, napi_callback_info info) {
  Socket *self = open_socket(env, info, 0, NULL, "detach");
  return self == NULL ? NULL : number(env, release(self));
}

/* close(); once more does nothing */
static napi_value socket_close(napi_env env, napi_callback_info info) {
  napi_value this;
  Socket *self = NULL;
  if (napi_get_cb_info(env, info, NULL, NULL, &this, NULL) != napi_ok ||
      napi_unwrap(env, this, (void **)&self) != napi_ok)
    return wrong(env, "not a Socket");
  if (self->fd >= 0) close(release(self));
  return NULL;
}

/* get fd → the descriptor, -1 when closed or detached */
static napi_value socket_fd(napi_env env, napi_callback_info info) {
  napi_value this;
  Socket *self = NULL;
  if (napi_get_cb_info(env, info, NULL, NULL, &this, NULL) != napi_ok ||
      napi_unwrap(env, this, (void **)&self) != napi_ok)
    return wrong(env, "not a Socket");
  return number(env, self->fd);
}

/* ---- many connections ---- */

enum { EVENTS_AT_ONCE = 64, ENTRY_NUMBERS = 4, CHUNK = 16 << 10, POLLER_NANOSECONDS = 5000000 };

/* What an entry says; native.ts has the same numbers. */
enum { IS_WRITABLE = 1, HAS_DATA = 2, HAS_ENDED = 4, HAS_FAILED = 8 };

/*
 * An epoll of our own behind one poll handle: a thousand connections a second cost one call into JavaScript for up
 * to 64 events instead of one for each, and half of the system calls. Edge-triggered: nothing is ever changed
 * about a connection until it is closed, which takes it out.
 */
typedef struct {
  napi_env env;
  int fd;                       /* -1 once closed */
  int parts;
  uv_handle_t *poll;
  napi_ref object, listener, entries_owner, data_owner;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  int32_t *entries;             /* token, what, offset, length or errno */
  unsigned char *data;          /* EVENTS_AT_ONCE chunks */
} Poller;

enum { WATCHED = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };

static void poller_drop(Poller *self) {
  if (--self->parts > 0) return;
  free(self->poll);
  free(self);
}

static void poller_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  poller_drop(data);
}

static void poller_closed(uv_handle_t *poll) {
  Poller *self = uv_handle_get_data(poll);
  if (self->hook != NULL) napi_remove_async_cleanup_hook(self->hook);
  poller_drop(self);
}

static void poller_release(Poller *self) {
  int fd = self->fd;
  napi_ref owned[] = {self->listener, self->object, self->entries_owner, self->data_owner};
  self->fd = -1;
  uv_close(self->poll, poller_closed);
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
    if (owned[i] != NULL) napi_delete_reference(self->env, owned[i]);
  if (self->context != NULL) napi_async_destroy(self->env, self->context);
  self->listener = self->object = self->entries_owner = self->data_owner = NULL;
  self->context = NULL;
  close(fd);
}

static void poller_teardown(napi_async_cleanup_hook_handle handle, void *data) {
  Poller *self = data;
  (void)handle;
  if (self->fd >= 0) poller_release(self);
}

/* Reads one chunk. Full: there may be more, which only another edge would tell, so that is asked for. */
static int take_chunk(Poller *self, int fd, const struct epoll_event *event, size_t offset, int32_t *entry) {
  size_t length = 0;
  int what = 0;
  while (length < CHUNK) {
    ssize_t got = recv(fd, self->data + offset + length, CHUNK - length, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (got < 0) {
      if (length > 0) break; /* told when it is read again */
      entry[3] = errno;
      return HAS_FAILED;
    }
    if (got == 0) {
      what = HAS_ENDED;
      break;
    }
    length += (size_t)got;
    if (length < CHUNK && (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) break;
  }
  if (length == CHUNK || (what == 0 && length > 0 && (event->events & EPOLLERR) != 0)) {
    struct epoll_event same = {.events = WATCHED, .data = event->data};
    epoll_ctl(self->fd, EPOLL_CTL_MOD, fd, &same);
  }
  entry[2] = (int32_t)offset;
  entry[3] = (int32_t)length;
  return what | (length > 0 ? HAS_DATA : 0);
}

/* The low half of what epoll keeps is the descriptor, the high half the token. */
static int take_event(Poller *self, const struct epoll_event *event, size_t offset, int32_t *entry) {
  int fd = (int)(uint32_t)event->data.u64;
  int what = 0;
  entry[0] = (int32_t)(event->data.u64 >> 32);
  entry[2] = entry[3] = 0;
  if ((event->events & EPOLLERR) != 0) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) error = errno;
    if (error != 0) {
      entry[1] = HAS_FAILED;
      entry[3] = error;
      return 1;
    }
  }
  if ((event->events & EPOLLOUT) != 0) what |= IS_WRITABLE;
  if ((event->events & (EPOLLIN | EPOLLRDHUP)) != 0) what |= take_chunk(self, fd, event, offset, entry);
  entry[1] = what;
  return what != 0;
}

/* What is ready now, in one call. Answers whether there may be more. */
static int poller_take(Poller *self) {
  napi_env env = self->env;
  struct epoll_event events[EVENTS_AT_ONCE];
  napi_handle_scope scope;
  napi_callback_scope turn;
  napi_value this, told;
  int count = 0;
  int found = epoll_wait(self->fd, events, EVENTS_AT_ONCE, 0);
  for (int i = 0; i < found; i++)
    count += take_event(self, &events[i], (size_t)count * CHUNK, self->entries + count * ENTRY_NUMBERS);
  if (count > 0 && napi_open_handle_scope(env, &scope) == napi_ok) {
    if (napi_create_int32(env, count, &told) == napi_ok &&
        napi_get_reference_value(env, self->object, &this) == napi_ok &&
        napi_open_callback_scope(env, this, self->context, &turn) == napi_ok) {
      call_listener(env, self->object, self->listener, 1, &told);
      napi_close_callback_scope(env, turn);
    }
    napi_close_handle_scope(env, scope);
  }
  return found == EVENTS_AT_ONCE;
}

/*
 * One turn: all that is ready, so that connections end as fast as others are begun; thousands would gather otherwise. What is
 * left over after so long is told by the next turn, as the epoll stays readable.
 */
static void poller_on_poll(uv_handle_t *poll, int status, int ready) {
  Poller *self = uv_handle_get_data(poll);
  uint64_t until = uv_hrtime() + POLLER_NANOSECONDS;
  (void)status, (void)ready;
  while (self->fd >= 0 && poller_take(self) && uv_hrtime() < until) continue;
}

/* new Poller(onEvents, entries: Int32Array, data: Uint8Array) */
static napi_value poller_construct(napi_env env, napi_callback_info info) {
  size_t count = 3, numbers = 0, size = 0;
  napi_value args[3], this, target, name;
  int32_t *entries;
  void *data;
  napi_valuetype listener;
  struct uv_loop_s *loop;
  napi_get_cb_info(env, info, &count, args, &this, NULL);
  if (napi_get_new_target(env, info, &target) != napi_ok || target == NULL) return wrong(env, "use new");
  if (napi_typeof(env, args[0], &listener) != napi_ok || listener != napi_function)
    return wrong(env, "a function was expected");
  if (!integers(env, args[1], &entries, &numbers) || !bytes(env, args[2], &data, &size)) return NULL;
  if (numbers < EVENTS_AT_ONCE * ENTRY_NUMBERS) return wrong(env, "an Int32Array of 256 was expected");
  if (size < (size_t)EVENTS_AT_ONCE * CHUNK) return wrong(env, "1 MiB was expected");

  Poller *self = calloc(1, sizeof *self);
  if (self == NULL) return fail(env, ENOMEM, "epoll_create1");
  self->env = env;
  self->parts = 1;
  self->entries = entries;
  self->data = data;
  self->poll = calloc(1, uv_handle_size(UV_POLL));
  self->fd = epoll_create1(EPOLL_CLOEXEC);
  int failed = self->poll == NULL ? ENOMEM : self->fd < 0 ? errno : 0;
  if (failed == 0) {
    uv_handle_set_data(self->poll, self);
    failed = napi_get_uv_event_loop(env, &loop) != napi_ok ? EINVAL : -uv_poll_init(loop, self->poll, self->fd);
  }
  if (failed != 0) {
    if (self->fd >= 0) close(self->fd);
    poller_drop(self);
    return fail(env, failed, "epoll_create1");
  }
  if (napi_wrap(env, this, self, poller_collected, NULL, NULL) == napi_ok) {
    self->parts = 2;
    if (napi_create_reference(env, this, 1, &self->object) == napi_ok &&
        napi_create_reference(env, args[0], 1, &self->listener) == napi_ok &&
        napi_create_reference(env, args[1], 1, &self->entries_owner) == napi_ok &&
        napi_create_reference(env, args[2], 1, &self->data_owner) == napi_ok &&
        napi_create_string_utf8(env, "Poller", NAPI_AUTO_LENGTH, &name) == napi_ok &&
        napi_async_init(env, this, name, &self->context) == napi_ok &&
        napi_add_async_cleanup_hook(env, poller_teardown, self, &self->hook) == napi_ok &&
        uv_poll_start(self->poll, UV_READABLE, poller_on_poll) == 0)
      return this;
  }
  poller_release(self);
  return fail(env, ENOMEM, "epoll_create1");
}

static Poller *open_poller(napi_env env, napi_callback_info info, size_t count, napi_value *args) {
  napi_value this;
  Poller *self = NULL;
  if (napi_get_cb_info(env, info, &count, args, &this, NULL) != napi_ok ||
      napi_unwrap(env, this, (void **)&self) != napi_ok) {
    wrong(env, "not a Poller");
    return NULL;
  }
  if (self->fd >= 0) return self;
  fail(env, EBADF, "epoll_ctl");
  return NULL;
}

/* open(domain, type, protocol) → descriptor */
static napi_value poller_open(napi_env env, napi_callback_info info) {
  napi_value args[3];
  int domain, type, protocol;
  if (open_poller(env, info, 3, args) == NULL || !integer(env, args[0], &domain) || !integer(env, args[1], &type) ||
      !integer(env, args[2], &protocol))
    return NULL;
  int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  return fd < 0 ? fail(env, errno, "socket") : number(env, fd);
}

/* Tells from now on of what happens on it. Answers the errno. */
static int poller_add(Poller *self, int fd, int token, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(uint32_t)token << 32 | (uint32_t)fd};
  return epoll_ctl(self->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? errno : 0;
}

static int begin_connecting(int fd, const void *address, size_t length) {
  return connect(fd, address, (socklen_t)length) < 0 && errno != EINPROGRESS && errno != EINTR ? errno : 0;
}

/*
 * For a connection on which we speak first, or say nothing: the ACK that ends the handshake goes with what is sent next, a request or
 * the FIN, or soon by itself (TCP_QUICKACK off). One packet less for the network and for both ends.
 */
static int begin_to_speak(int fd, const void *address, size_t length) {
  int quick = 0;
  setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &quick, sizeof quick);
  return begin_connecting(fd, address, length);
}

/* connect(descriptor, token, address, reads): and tells of it from now on; of what comes over it only when it reads */
static napi_value poller_connect(napi_env env, napi_callback_info info) {
  napi_value args[4];
  int fd, token;
  bool reads;
  void *address;
  size_t length;
  Poller *self = open_poller(env, info, 4, args);
  if (self == NULL || !integer(env, args[0], &fd) || !integer(env, args[1], &token) ||
      !bytes(env, args[2], &address, &length))
    return NULL;
  if (napi_get_value_bool(env, args[3], &reads) != napi_ok) return wrong(env, "a boolean was expected");
  int error = begin_connecting(fd, address, length);
  if (error != 0) return fail(env, error, "connect");
  error = poller_add(self, fd, token, reads ? WATCHED : EPOLLOUT | EPOLLET);
  return error != 0 ? fail(env, error, "epoll_ctl") : NULL;
}

/* begin(descriptor, address): connects, and tells nothing yet */
static napi_value poller_begin(napi_env env, napi_callback_info info) {
  napi_value args[2];
  int fd;
  void *address;
  size_t length;
  if (open_poller(env, info, 2, args) == NULL || !integer(env, args[0], &fd) || !bytes(env, args[1], &address, &length))
    return NULL;
  int error = begin_to_speak(fd, address, length);
  return error != 0 ? fail(env, error, "connect") : NULL;
}

/*
 * ask(descriptor, token, request) → bytes of it taken at once, or -1: it is not connected yet. Tells of it from now on: once all of the
 * request is taken of nothing before the answer.
 */
static napi_value poller_ask(napi_env env, napi_callback_info info) {
  napi_value args[3];
  int fd, token;
  void *request;
  size_t size;
  Poller *self = open_poller(env, info, 3, args);
  if (self == NULL || !integer(env, args[0], &fd) || !integer(env, args[1], &token) ||
      !bytes(env, args[2], &request, &size))
    return NULL;
  ssize_t sent = send(fd, request, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return fail(env, errno, "send");
  int error = poller_add(self, fd, token, sent == (ssize_t)size ? WATCHED & ~EPOLLOUT : WATCHED);
  return error != 0 ? fail(env, error, "epoll_ctl") : number(env, (double)sent);
}

/* What became of a dialled address; dialer.ts has the same numbers. */
enum { DIAL_UNDER_WAY = 0, DIAL_OPENED = 1, DIAL_FAILED = 2, DIAL_REFUSED_HERE = 3, DIAL_NO_SOCKET = 4, DIAL_ITSELF = 5 };
enum { DIALS = 64, DIAL_NUMBERS = 4, DIAL_ADDRESS = sizeof(struct sockaddr_in6) };

/* One of them: token, whether it may meet itself, descriptor (of a failure the errno), end. */
typedef struct { int32_t token, itself, fd, end; } Dial;

static socklen_t dial_length(const struct sockaddr *address) {
  return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void dial_end(Dial *dial, int end, int error) {
  if (dial->fd >= 0) close(dial->fd);
  dial->fd = error;
  dial->end = end;
}

static void dial_begin(Dial *dial, const struct sockaddr *address) {
  dial->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  dial->end = DIAL_UNDER_WAY;
  if (dial->fd < 0) dial_end(dial, DIAL_NO_SOCKET, errno);
  else {
    int error = begin_to_speak(dial->fd, address, dial_length(address));
    if (error != 0) dial_end(dial, DIAL_REFUSED_HERE, error);
  }
}

/* The kernel may have chosen the very port that is connected to: then the connection is one with itself. */
static int met_itself(int fd) {
  struct sockaddr_storage own, peer;
  socklen_t length = sizeof own, peer_length = sizeof peer;
  return getsockname(fd, (struct sockaddr *)&own, &length) == 0 &&
         getpeername(fd, (struct sockaddr *)&peer, &peer_length) == 0 && length == peer_length &&
         memcmp(&own, &peer, length) == 0;
}

/* Already answered: servers nearby are, by the time the last of them was asked. */
static void dial_look(Dial *dial, short found) {
  int error = 0;
  socklen_t length = sizeof error;
  if ((found & (POLLERR | POLLHUP)) != 0 && getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) error = errno;
  if (error != 0) dial_end(dial, DIAL_FAILED, error);
  else dial_end(dial, dial->itself && met_itself(dial->fd) ? DIAL_ITSELF : DIAL_OPENED, 0);
}

/*
 * dial(dials, addresses, count): opens connections to all of them, looks once which are open, and closes those; of the
 * others it is told as of any connection.
 */
static napi_value poller_dial(napi_env env, napi_callback_info info) {
  napi_value args[3];
  int count;
  void *dials, *addresses;
  size_t size, length;
  struct pollfd asked[DIALS];
  Poller *self = open_poller(env, info, 3, args);
  if (self == NULL || !bytes(env, args[0], &dials, &size) || !bytes(env, args[1], &addresses, &length) ||
      !integer(env, args[2], &count))
    return NULL;
  if (count < 0 || count > DIALS || size < count * sizeof(Dial) || length < (size_t)count * DIAL_ADDRESS)
    return wrong(env, "at most 64, each with its numbers and its address, were expected");
  for (int i = 0; i < count; i++) {
    Dial *dial = (Dial *)dials + i;
    dial_begin(dial, (struct sockaddr *)((char *)addresses + i * DIAL_ADDRESS));
    asked[i] = (struct pollfd){.fd = dial->end == DIAL_UNDER_WAY ? dial->fd : -1, .events = POLLOUT};
  }
  if (poll(asked, (nfds_t)count, 0) < 0) memset(asked, 0, sizeof asked);
  for (int i = 0; i < count; i++) {
    Dial *dial = (Dial *)dials + i;
    if (dial->end != DIAL_UNDER_WAY) continue;
    if (asked[i].revents != 0) {
      dial_look(dial, asked[i].revents);
      continue;
    }
    int error = poller_add(self, dial->fd, dial->token, EPOLLOUT | EPOLLET);
    if (error != 0) dial_end(dial, DIAL_NO_SOCKET, error);
  }
  return NULL;
}

/* metItself(descriptor) → whether it is connected to its own end */
static napi_value poller_met_itself(napi_env env, napi_callback_info info) {
  napi_value args[1];
  int fd;
  if (open_poller(env, info, 1, args) == NULL || !integer(env, args[0], &fd)) return NULL;
  return boolean(env, met_itself(fd));
}

/* send(descriptor, data) → bytes taken, or -1 when nothing can be taken now: it will be writable */
static napi_value poller_send(napi_env env, napi_callback_info info) {
  napi_value args[2];
  int fd;
  void *data;
  size_t length;
  ssize_t sent;
  if (open_poller(env, info, 2, args) == NULL || !integer(env, args[0], &fd) || !bytes(env, args[1], &data, &length))
    return NULL;
  do sent = send(fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return fail(env, errno, "send");
  return number(env, (double)sent);
}

/* bind(descriptor, address) */
static napi_value poller_bind(napi_env env, napi_callback_info info) {
  napi_value args[2];
  int fd;
  void *address;
  size_t length;
  if (open_poller(env, info, 2, args) == NULL || !integer(env, args[0], &fd) ||
      !bytes(env, args[1], &address, &length))
    return NULL;
  return bind(fd, address, (socklen_t)length) < 0 ? fail(env, errno, "bind") : NULL;
}

/* setsockopt(descriptor, level, option, value) */
static napi_value poller_setsockopt(napi_env env, napi_callback_info info) {
  napi_value args[4];
  int fd, level, option;
  void *value;
  size_t length;
  if (open_poller(env, info, 4, args) == NULL || !integer(env, args[0], &fd) || !integer(env, args[1], &level) ||
      !integer(env, args[2], &option) || !bytes(env, args[3], &value, &length))
    return NULL;
  return setsockopt(fd, level, option, value, (socklen_t)length) < 0 ? fail(env, errno, "setsockopt") : NULL;
}

/* getsockname(descriptor) → Buffer */
static napi_value poller_getsockname(napi_env env, napi_callback_info info) {
  napi_value args[1], result = NULL;
  int fd;
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (open_poller(env, info, 1, args) == NULL || !integer(env, args[0], &fd)) return NULL;
  if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return fail(env, errno, "getsockname");
  napi_create_buffer_copy(env, length > sizeof address ? sizeof address : length, &address, NULL, &result);
  return result;
}

/* watch(descriptor, token, on): with off nothing is told until it is on again */
static napi_value poller_watch(napi_env env, napi_callback_info info) {
  napi_value args[3];
  int fd, token;
  bool on;
  Poller *self = open_poller(env, info, 3, args);
  if (self == NULL || !integer(env, args[0], &fd) || !integer(env, args[1], &token)) return NULL;
  if (napi_get_value_bool(env, args[2], &on) != napi_ok) return wrong(env, "a boolean was expected");
  struct epoll_event event = {.events = on ? WATCHED : EPOLLET,
                              .data.u64 = (uint64_t)(uint32_t)token << 32 | (uint32_t)fd};
  return epoll_ctl(self->fd, EPOLL_CTL_MOD, fd, &event) < 0 ? fail(env, errno, "epoll_ctl") : NULL;
}

/* detach(descriptor): nothing is told of it any more, and it stays open */
static napi_value poller_detach(napi_env env, napi_callback_info info) {
  napi_value args[1];
  int fd;
  Poller *self = open_poller(env, info, 1, args);
  if (self == NULL || !integer(env, args[0], &fd)) return NULL;
  epoll_ctl(self->fd, EPOLL_CTL_DEL, fd, NULL);
  return NULL;
}

/* close(descriptor), which takes it out of the epoll: nobody else has it */
static napi_value poller_close(napi_env env, napi_callback_info info) {
  napi_value args[1];
  int fd;
  if (open_poller(env, info, 1, args) == NULL || !integer(env, args[0], &fd)) return NULL;
  close(fd);
  return NULL;
}

static napi_value poller_ref(napi_env env, napi_callback_info info) {
  Poller *self = open_poller(env, info, 0, NULL);
  if (self != NULL) uv_ref(self->poll);
  return NULL;
}

static napi_value poller_unref(napi_env env, napi_callback_info info) {
  Poller *self = open_poller(env, info, 0, NULL);
  if (self != NULL) uv_unref(self->poll);
  return NULL;
}

#include "alarm.h"
#include "knock.h"
#include "tls.h"

/* ---- system calls ---- */

/* prctl(option, second?, third?, fourth?, fifth?) → number; `second` may be bytes (PR_SET_NAME) */
static napi_value system_prctl(napi_env env, napi_callback_info info) {
  size_t count = 5, length;
  napi_value args[5];
  int option, result;
  unsigned long words[4] = {0, 0, 0, 0};
  bool is_bytes = false;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (!integer(env, args[0], &option)) return NULL;
  for (int i = 1; i < 5; i++) {
    int64_t word;
    void *data;
    if (is_absent(env, args[i])) continue;
    if (i == 1 && napi_is_typedarray(env, args[i], &is_bytes) == napi_ok && is_bytes) {
      if (!bytes(env, args[i], &data, &length)) return NULL;
      words[0] = (unsigned long)(uintptr_t)data;
    } else if (napi_get_value_int64(env, args[i], &word) == napi_ok) words[i - 1] = (unsigned long)word;
    else return wrong(env, "an integer was expected");
  }
  result = prctl(option, words[0], words[1], words[2], words[3]);
  return result < 0 ? fail(env, errno, "prctl") : number(env, result);
}

/* clockGettime(clock) → milliseconds */
static napi_value system_clock_gettime(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value args[1];
  int clock;
  struct timespec now;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (!integer(env, args[0], &clock)) return NULL;
  if (clock_gettime((clockid_t)clock, &now) < 0) return fail(env, errno, "clock_gettime");
  return number(env, (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
}

/* setns(fd, kind): the calling thread only */
static napi_value system_setns(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  int fd, kind;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (!integer(env, args[0], &fd) || !integer(env, args[1], &kind)) return NULL;
  return setns(fd, kind) < 0 ? fail(env, errno, "setns") : NULL;
}

/* schedSetscheduler(pid, policy, priority): pid 0 is the calling thread */
static napi_value system_sched_setscheduler(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value args[3];
  int pid, policy, priority;
  struct sched_param parameter;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (!integer(env, args[0], &pid) || !integer(env, args[1], &policy) || !integer(env, args[2], &priority)) return NULL;
  memset(&parameter, 0, sizeof parameter);
  parameter.sched_priority = priority;
  /* The system call itself: musl's sched_setscheduler always fails with ENOSYS. */
  return syscall(SYS_sched_setscheduler, pid, policy, &parameter) < 0 ? fail(env, errno, "sched_setscheduler") : NULL;
}

/* mlock(start, length): addresses as BigInt; pages are locked as they are touched (MLOCK_ONFAULT) */
static napi_value system_mlock(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  uint64_t range[2];
  bool lossless;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  for (int i = 0; i < 2; i++)
    if (napi_get_value_bigint_uint64(env, args[i], &range[i], &lossless) != napi_ok || !lossless)
      return wrong(env, "a BigInt of 64 bits was expected");
  return syscall(SYS_mlock2, range[0], range[1], 1) < 0 ? fail(env, errno, "mlock") : NULL;
}

/* capset(effective, permitted, inheritable): 64-bit masks as BigInt, the calling thread only */
static napi_value system_capset(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value args[3];
  uint64_t masks[3];
  bool lossless;
  struct { uint32_t version; int32_t pid; } header = {0x20080522, 0}; /* linux/capability.h, version 3 */
  struct { uint32_t effective, permitted, inheritable; } data[2];
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  for (int i = 0; i < 3; i++)
    if (napi_get_value_bigint_uint64(env, args[i], &masks[i], &lossless) != napi_ok || !lossless)
      return wrong(env, "a BigInt of 64 bits was expected");
  for (int i = 0; i < 2; i++) {
    data[i].effective = (uint32_t)(masks[0] >> (32 * i));
    data[i].permitted = (uint32_t)(masks[1] >> (32 * i));
    data[i].inheritable = (uint32_t)(masks[2] >> (32 * i));
  }
  return syscall(SYS_capset, &header, data) < 0 ? fail(env, errno, "capset") : NULL;
}

/* mallopt(option, value), mallocTrim(): glibc's; another C library keeps its memory as it does */
static napi_value system_mallopt(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  int option, value;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (!integer(env, args[0], &option) || !integer(env, args[1], &value)) return NULL;
#ifdef __GLIBC__
  mallopt(option, value);
#endif
  return NULL;
}

static napi_value system_malloc_trim(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return NULL;
}

/* become(uid, gid): every thread of the process (libc sees to that), without supplementary groups */
static napi_value system_become(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  int uid, gid;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (!integer(env, args[0], &uid) || !integer(env, args[1], &gid)) return NULL;
  if (setgroups(0, NULL) < 0) return fail(env, errno, "setgroups");
  if (setgid((gid_t)gid) < 0) return fail(env, errno, "setgid");
  return setuid((uid_t)uid) < 0 ? fail(env, errno, "setuid") : NULL;
}

/* ---- what the module offers ---- */

#define METHOD(name, function) {name, NULL, function, NULL, NULL, NULL, napi_default_method, NULL}

NAPI_MODULE_EXPORT int32_t node_api_module_get_api_version_v1(void) { return NAPI_VERSION; }

NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  const napi_property_descriptor members[] = {
      METHOD("bind", socket_bind),
      METHOD("connect", socket_connect),
      METHOD("setsockopt", socket_setsockopt),
      METHOD("attachFilter", socket_attach_filter),
      METHOD("getsockopt", socket_getsockopt),
      METHOD("getsockname", socket_getsockname),
      METHOD("ioctl", socket_ioctl),
      METHOD("send", socket_send),
      METHOD("knock", socket_knock),
      METHOD("start", socket_start),
      METHOD("stop", socket_stop),
      METHOD("awaitWritable", socket_await_writable),
      METHOD("ref", socket_ref),
      METHOD("unref", socket_unref),
      METHOD("detach", socket_detach),
      METHOD("close", socket_close),
      {"fd", NULL, NULL, socket_fd, NULL, NULL, napi_default, NULL},
  };
  napi_value constructor;
  if (napi_define_class(env, "Socket", NAPI_AUTO_LENGTH, construct, NULL, sizeof members / sizeof *members, members,
                        &constructor) != napi_ok)
    return NULL;
  const napi_property_descriptor poller_members[] = {
      METHOD("open", poller_open),
      METHOD("connect", poller_connect),
      METHOD("begin", poller_begin),
      METHOD("ask", poller_ask),
      METHOD("dial", poller_dial),
      METHOD("metItself", poller_met_itself),
      METHOD("send", poller_send),
      METHOD("bind", poller_bind),
      METHOD("setsockopt", poller_setsockopt),
      METHOD("getsockname", poller_getsockname),
      METHOD("watch", poller_watch),
      METHOD("detach", poller_detach),
      METHOD("close", poller_close),
      METHOD("ref", poller_ref),
      METHOD("unref", poller_unref),
  };
  napi_value poller;
  if (napi_define_class(env, "Poller", NAPI_AUTO_LENGTH, poller_construct, NULL,
                        sizeof poller_members / sizeof *poller_members, poller_members, &poller) != napi_ok)
    return NULL;
  const napi_property_descriptor session_members[] = {
      METHOD("handshake", session_handshake),
      METHOD("feed", session_feed),
      METHOD("read", session_read),
      METHOD("write", session_write),
      METHOD("take", session_take),
      METHOD("shutdown", session_shutdown),
      METHOD("close", session_close),
  };
  napi_value session;
  if (napi_define_class(env, "TlsSession", NAPI_AUTO_LENGTH, session_construct, NULL,
                        sizeof session_members / sizeof *session_members, session_members, &session) != napi_ok)
    return NULL;
  const napi_property_descriptor alarm_members[] = {
      METHOD("set", alarm_set),
      METHOD("clear", alarm_clear),
      METHOD("close", alarm_close),
  };
  napi_value alarm;
  if (napi_define_class(env, "Alarm", NAPI_AUTO_LENGTH, alarm_construct, NULL,
                        sizeof alarm_members / sizeof *alarm_members, alarm_members, &alarm) != napi_ok)
    return NULL;
  const napi_property_descriptor functions[] = {
      {"TlsSession", NULL, NULL, NULL, NULL, session, napi_enumerable, NULL},
      METHOD("tlsPrepare", tls_prepare),
      {"Socket", NULL, NULL, NULL, NULL, constructor, napi_enumerable, NULL},
      {"Poller", NULL, NULL, NULL, NULL, poller, napi_enumerable, NULL},
      {"Alarm", NULL, NULL, NULL, NULL, alarm, napi_enumerable, NULL},
      METHOD("prctl", system_prctl),
      METHOD("clockGettime", system_clock_gettime),
      METHOD("setns", system_setns),
      METHOD("schedSetscheduler", system_sched_setscheduler),
      METHOD("mlock", system_mlock),
      METHOD("capset", system_capset),
      METHOD("mallopt", system_mallopt),
      METHOD("mallocTrim", system_malloc_trim),
      METHOD("become", system_become),
  };
  if (napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) != napi_ok) return NULL;
  return exports;
}
