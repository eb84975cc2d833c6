/* How a mistake in the files of a release is said. */
#include "tree_internal.h"

int tree_fail(struct tree_job *job, enum diag_kind kind, struct diag_mark mark,
              const char *fmt, ...)
{
    char id[DEVICE_TEXT];
    va_list ap;

    job->failed = true;
    va_start(ap, fmt);
    if (job->device) {
        device_id_text(&job->device->id, id);
        diag_report_of(DIAG_ERROR, kind, mark, id, fmt, ap);
    } else {
        diag_report(DIAG_ERROR, kind, mark, fmt, ap);
    }
    va_end(ap);
    return -1;
}
