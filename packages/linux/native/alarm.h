/*
 * A timer that is set again and again, part of addon.c. For whoever wakes up dozens of times a second to do little: waking up by
 * setTimeout costs half as much again (docs/benchmarks.md), as its lists, objects and own clock are cold by then.
 */
enum { NANOSECONDS = 1000000 }; /* of a millisecond */

typedef struct {
  napi_env env;
  int open, parts;
  uv_handle_t *timer;
  napi_ref object, listener;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
} Alarm;

static void alarm_drop(Alarm *self) {
  if (--self->parts > 0) return;
  free(self->timer);
  free(self);
}

static void alarm_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  alarm_drop(data);
}

static void alarm_closed(uv_handle_t *timer) {
  Alarm *self = uv_handle_get_data(timer);
  if (self->hook != NULL) napi_remove_async_cleanup_hook(self->hook);
  alarm_drop(self);
}

static void alarm_release(Alarm *self) {
  self->open = 0;
  uv_close(self->timer, alarm_closed);
  if (self->listener != NULL) napi_delete_reference(self->env, self->listener);
  if (self->object != NULL) napi_delete_reference(self->env, self->object);
  if (self->context != NULL) napi_async_destroy(self->env, self->context);
  self->listener = self->object = NULL;
  self->context = NULL;
}

static void alarm_teardown(napi_async_cleanup_hook_handle handle, void *data) {
  Alarm *self = data;
  (void)handle;
  if (self->open) alarm_release(self);
}

static void alarm_fire(uv_handle_t *timer) {
  Alarm *self = uv_handle_get_data(timer);
  napi_env env = self->env;
  napi_handle_scope scope;
  napi_callback_scope turn;
  napi_value this;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_reference_value(env, self->object, &this) == napi_ok &&
      napi_open_callback_scope(env, this, self->context, &turn) == napi_ok) {
    call_listener(env, self->object, self->listener, 0, NULL);
    napi_close_callback_scope(env, turn);
  }
  napi_close_handle_scope(env, scope);
}

/* new Alarm(onDue) */
static napi_value alarm_construct(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value args[1], this, target, name;
  napi_valuetype listener;
  struct uv_loop_s *loop;
  napi_get_cb_info(env, info, &count, args, &this, NULL);
  if (napi_get_new_target(env, info, &target) != napi_ok || target == NULL) return wrong(env, "use new");
  if (napi_typeof(env, args[0], &listener) != napi_ok || listener != napi_function)
    return wrong(env, "a function was expected");

  Alarm *self = calloc(1, sizeof *self);
  if (self == NULL) return fail(env, ENOMEM, "uv_timer_init");
  self->env = env;
  self->parts = 1;
  self->timer = calloc(1, uv_handle_size(UV_TIMER));
  if (self->timer == NULL || napi_get_uv_event_loop(env, &loop) != napi_ok || uv_timer_init(loop, self->timer) != 0) {
    alarm_drop(self);
    return fail(env, ENOMEM, "uv_timer_init");
  }
  uv_handle_set_data(self->timer, self);
  self->open = 1;
  if (napi_wrap(env, this, self, alarm_collected, NULL, NULL) == napi_ok) {
    self->parts = 2;
    if (napi_create_reference(env, this, 1, &self->object) == napi_ok &&
        napi_create_reference(env, args[0], 1, &self->listener) == napi_ok &&
        napi_create_string_utf8(env, "Alarm", NAPI_AUTO_LENGTH, &name) == napi_ok &&
        napi_async_init(env, this, name, &self->context) == napi_ok &&
        napi_add_async_cleanup_hook(env, alarm_teardown, self, &self->hook) == napi_ok)
      return this;
  }
  alarm_release(self);
  return fail(env, ENOMEM, "uv_timer_init");
}

/* NULL, with an exception pending only where `this` is none: a closed one does nothing any more. */
static Alarm *open_alarm(napi_env env, napi_callback_info info, size_t count, napi_value *args) {
  napi_value this;
  Alarm *self = NULL;
  if (napi_get_cb_info(env, info, &count, args, &this, NULL) == napi_ok &&
      napi_unwrap(env, this, (void **)&self) == napi_ok)
    return self->open ? self : NULL;
  wrong(env, "not an Alarm");
  return NULL;
}

/*
 * set(milliseconds): in place of what it was set to. The loop's clock counts whole milliseconds and may be behind, never ahead: what is
 * due at one of its moments that lies after ours is not early. Never at once: some versions of libuv would go on with what is set so
 * by its own action, and nothing else would have its turn.
 */
static napi_value alarm_set(napi_env env, napi_callback_info info) {
  napi_value args[1];
  double delay;
  Alarm *self = open_alarm(env, info, 1, args);
  if (self == NULL) return NULL;
  if (napi_get_value_double(env, args[0], &delay) != napi_ok || !(delay < 1e15)) return wrong(env, "milliseconds were expected");
  uint64_t due = uv_hrtime() + (delay > 0 ? (uint64_t)(delay * NANOSECONDS) : 0);
  uv_timer_start(self->timer, alarm_fire, due / NANOSECONDS + 1 - uv_now(uv_handle_get_loop(self->timer)), 0);
  return NULL;
}

static napi_value alarm_clear(napi_env env, napi_callback_info info) {
  Alarm *self = open_alarm(env, info, 0, NULL);
  if (self != NULL) uv_timer_stop(self->timer);
  return NULL;
}

static napi_value alarm_close(napi_env env, napi_callback_info info) {
  Alarm *self = open_alarm(env, info, 0, NULL);
  if (self != NULL) alarm_release(self);
  return NULL;
}
