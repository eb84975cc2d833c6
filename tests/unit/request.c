/* How much is on its way to a server at once, and what is tried again, when and
 * how often: with an engine that answers as it is told. */
#include <stdlib.h>
#include <string.h>

#include "store/request.h"
#include "tap.h"

enum { MOST = 4 };

static struct {
    struct request *list[64];
    unsigned count, peak, tries, told;
    CURLcode code; /* of every answer */
    long status;
} line;

static void begin(struct engine *e, struct request *r, enum request_turn turn)
{
    unsigned at = turn == TURN_FIRST ? 0 : line.count;

    (void)e;
    memmove(line.list + at + 1, line.list + at,
            (line.count - at) * sizeof *line.list);
    line.list[at] = r;
    line.count++;
    if (line.count > line.peak)
        line.peak = line.count;
}

/* Answers the first one, tried until it may not be. */
static void drive(struct engine *e)
{
    struct request *r = line.list[0];

    (void)e;
    line.count--;
    memmove(line.list, line.list + 1, line.count * sizeof *line.list);
    do {
        request_reset(r);
        r->code = line.code;
        r->status = line.status;
        r->tries++;
        line.tries++;
    } while (request_again(r));
    request_settled(r);
    request_answered(r);
}

static bool passes(const struct request *r)
{
    return request_may_pass(r->code, r->status);
}

static const struct engine_ops ops = {
    .begin = begin, .drive = drive, .passes = passes};
static struct engine engine = {.ops = &ops, .most = MOST};

static struct request *fresh(const char *name)
{
    struct request *r = request_new(&engine, "sftp://there/x", name);

    if (!r)
        exit(1);
    return r;
}

static void answer_with(CURLcode code, long status)
{
    line.code = code;
    line.status = status;
    line.tries = 0;
    engine.away = engine.hurry = false;
}

static const struct {
    CURLcode code;
    long status;
    unsigned tries;
    const char *what;
} cases[] = {
    {CURLE_OK, 200, 1, "what is answered is not asked again"},
    {CURLE_OK, 404, 1, "nor what is not there"},
    {CURLE_OK, 503, 6, "a server with too much to do: six times"},
    {CURLE_OK, 429, 6, "the same"},
    {CURLE_OK, 501, 1, "what it cannot do, it cannot do later"},
    {CURLE_OK, 507, 1, "nor with a full disk"},
    {CURLE_COULDNT_CONNECT, 0, 6, "no answer: six times"},
    {CURLE_OPERATION_TIMEDOUT, 0, 2, "one that takes a minute: twice"},
    {CURLE_LOGIN_DENIED, 0, 1, "a wrong password: once"},
    {CURLE_PEER_FAILED_VERIFICATION, 0, 1, "a wrong certificate: once"}};

static void test_tries(void)
{
    struct request *r = fresh("x");

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        answer_with(cases[i].code, cases[i].status);
        request_run(r);
        check(line.tries == cases[i].tries && r->answered, "%s (%u)",
              cases[i].what, line.tries);
        check(engine_is_away(&engine) == store_curl_is_away(cases[i].code),
              "whether it is away");
    }
    answer_with(CURLE_OK, 503);
    r->final = 503;
    request_run(r);
    check(line.tries == 1, "a status that is final");
    r->final = 0;
    r->once = true;
    answer_with(CURLE_OK, 503);
    request_run(r);
    check(line.tries == 1, "one that is tried once");
    r->once = false;
    answer_with(CURLE_OK, 503);
    engine_hurry(&engine);
    request_run(r);
    check(line.tries == 1, "in a hurry: once");
    answer_with(CURLE_COULDNT_CONNECT, 0);
    request_run(r);
    line.tries = 0;
    request_run(r);
    check(line.tries == 1, "once where the server was away before");
    answer_with(CURLE_OK, 200);
    request_free(r);
}

static void test_delay(void)
{
    struct request r = {.tries = 1};
    unsigned least = 0;

    for (unsigned ms = 400; r.tries <= 5; r.tries++, ms *= 2) {
        unsigned delay = request_delay(&r);

        check(delay >= ms / 2 && delay <= ms, "try %u: %u ms", r.tries, delay);
        least += ms / 2;
    }
    check(least >= 6000, "all of them are some seconds");
    r.tries = 40;
    check(request_delay(&r) <= 30000, "there is an end to doubling");
    r.wait_s = 50;
    check(request_delay(&r) == 50000, "as long as the server asks for");
    r.wait_s = 3600;
    check(request_delay(&r) == 120000, "within reason");
}

static void tell(struct request *r)
{
    line.told++;
    request_free(r);
}

static void test_limits(void)
{
    static const uint8_t body[20 << 20];
    struct request *r;

    answer_with(CURLE_OK, 200);
    line.peak = line.told = 0;
    for (unsigned i = 0; i < 20; i++) {
        r = fresh("x");
        r->done = tell;
        request_start(r);
    }
    check(line.peak == MOST && engine.pending == MOST,
          "no more than %d at once", MOST);
    engine_drain(&engine);
    check(line.told == 20 && engine.pending == 0, "all are told");
    line.peak = 0;
    for (unsigned i = 0; i < 3; i++) {
        r = fresh("x");
        r->body = body;
        r->len = sizeof body;
        r->done = tell;
        request_start(r);
    }
    check(line.peak == 1, "large bodies go one by one");
    engine_drain(&engine);
    check(engine.bytes == 0, "none is left");
}

static void test_ahead(void)
{
    struct request_ahead ahead = {.count = 0};
    struct request *r;

    request_ahead_add(&ahead, STORE_GET, fresh("a"));
    request_ahead_add(&ahead, STORE_SIZE, fresh("a"));
    request_ahead_add(&ahead, STORE_GET, fresh("b"));
    request_ahead_add(&ahead, STORE_GET, NULL);
    check(!request_ahead_take(&ahead, STORE_SIZE, "b"), "not asked for");
    r = request_ahead_take(&ahead, STORE_SIZE, "a");
    check(r && r->answered && r->verb == STORE_SIZE, "asked for, and answered");
    request_free(r);
    check(!request_ahead_take(&ahead, STORE_SIZE, "a"), "once");
    request_ahead_forget(&ahead);
    check(ahead.count == 0 && engine.pending == 0, "the others are forgotten");
    for (unsigned i = 0; i < STORE_AHEAD + 1; i++)
        request_ahead_add(&ahead, STORE_GET, fresh("c"));
    check(ahead.count == STORE_AHEAD, "no more than there is room for");
    request_ahead_forget(&ahead);
}

static void test_meter(void)
{
    static const uint8_t body[100];
    struct store_meter meter = {.objects = 0};
    struct store store = {.meter = &meter};
    struct request *r = fresh("x");

    r->body = body;
    r->len = sizeof body;
    request_count(r, &store, STORE_PAYLOAD);
    check(meter.objects == 1 && meter.unsent == 100,
          "an object, and its bytes");
    request_note_sent(r, 60);
    check(meter.unsent == 40, "of which some are sent");
    request_reset(r);
    check(meter.unsent == 100, "another try begins anew");
    request_note_sent(r, 100);
    request_free(r);
    check(meter.objects == 0 && meter.unsent == 0, "and it is done");
}

int main(void)
{
    test_tries();
    test_delay();
    test_limits();
    test_ahead();
    test_meter();
    return tap_done();
}
