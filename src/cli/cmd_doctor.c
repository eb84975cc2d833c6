/* doctor: whether the servers do what publishing and polling rely on. */
#include <stdlib.h>
#include <string.h>

#include "find_config.h"
#include "json.h"
#include "msg.h"
#include "project.h"
#include "publish/doctor.h"

enum { NAME_WIDTH = 10, RESULT_WIDTH = 8 };

static const char *const results[] = {"ok", "warning", "error"};

/* Of the whole run: diag is reset behind it. */
struct run {
    const struct cmd_global *g;
    unsigned counts[3];
    enum diag_kind kind; /* of the first error */
    char server[512];    /* whose heading was printed last */
};

static void print_object(const struct doctor_check *c)
{
    struct json j;

    json_begin(&j, stdout, "check");
    json_string(&j, "server", c->server);
    json_string(&j, "check", c->name);
    json_string(&j, "result", results[c->result]);
    json_string(&j, "found", c->found);
    json_string(&j, "advice", c->advice);
    json_end(&j);
}

static void print_heading(struct run *r, const char *server)
{
    if (!server || strcmp(r->server, server) == 0)
        return;
    snprintf(r->server, sizeof r->server, "%s", server);
    msg_text(stdout, server, strlen(server));
    puts(":");
}

static void print_text(struct run *r, const struct doctor_check *c)
{
    static const char *const colors[] = {"\033[32m", "\033[1;35m",
                                         "\033[1;31m"};
    bool color = msg_color(stdout);

    print_heading(r, c->server);
    printf("%-*s  %s%s%s%*s", NAME_WIDTH, c->name,
           color ? colors[c->result] : "", results[c->result],
           color ? "\033[0m" : "",
           (int)(RESULT_WIDTH - strlen(results[c->result])), "");
    msg_text(stdout, c->found, strlen(c->found));
    putchar('\n');
    if (c->advice)
        printf("%*s%s\n", NAME_WIDTH + 2 + RESULT_WIDTH, "", c->advice);
    fflush(stdout);
}

static void tell(void *ctx, const struct doctor_check *c)
{
    struct run *r = ctx;

    if (c->result == DOCTOR_ERROR && !r->counts[DOCTOR_ERROR])
        r->kind = c->kind;
    r->counts[c->result]++;
    if (r->g->json)
        print_object(c);
    else if (!r->g->quiet || c->result == DOCTOR_ERROR)
        print_text(r, c);
}

static void look(struct run *r, const struct config *config)
{
    char *folder = project_memory();
    struct memory memory = {.folder = folder, .older = MEMORY_WARN};
    struct doctor_heard heard = {0};
    const struct doctor_options o = {.config = config,
                                     .stop = &cmd_stopped,
                                     .write_nothing = r->g->dry_run,
                                     .memory = &memory,
                                     .tell = tell,
                                     .ctx = r,
                                     .heard = &heard};
    struct signer *signer;

    doctor_key(&o, &signer);
    for (size_t i = 0; i < config->server_count && !cmd_stopped; i++)
        doctor_server(&o, &config->servers[i], signer);
    signer_free(signer);
    free(folder);
    diag_reset();
    msg_init(r->g->json, r->g->quiet);
    for (unsigned i = 0; i < r->counts[DOCTOR_ERROR]; i++)
        msg_count(r->kind);
    msg_summary_number("ok", r->counts[DOCTOR_OK]);
    msg_summary_number("warnings", r->counts[DOCTOR_WARNING]);
}

static int take_option(int c, const char *arg, void *ctx)
{
    (void)c;
    (void)arg;
    (void)ctx;
    return 0;
}

int cmd_doctor(struct cmd_global *g, int argc, char **argv)
{
    struct run r = {.g = g};
    struct config *config = NULL;
    int first = cmd_options(g, argc, argv, "", NULL, take_option, NULL);

    if (first < 0)
        return diag_status();
    if (first < argc) {
        diag_error(DIAG_USAGE, "doctor takes no '%s': it looks at all servers",
                   argv[first]);
        return diag_status();
    }
    if (!find_config(g, &config) && !diag_errors()) {
        if (config->server_count)
            look(&r, config);
        else
            diag_error(DIAG_CONFIG,
                       "'%s' has no 'server': add 'server: public/', the "
                       "folder to publish into",
                       config->path);
    }
    config_free(config);
    return diag_status();
}
