/* A table that fits the terminal: columns become narrow in an order that its
 * owner gives. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TABLE_COLUMNS = 8 };

/* A column may be made this narrow; 0: it goes. */
struct table_step {
    int column;
    size_t width;
};

struct table {
    int column_count;
    size_t widths[TABLE_COLUMNS]; /* what the cells need; 0: left out */
    int at;                       /* the next cell, from 0 */
    size_t behind; /* blanks that are owed before the next cell */
};

/* Columns of the terminal that standard output is, or of COLUMNS where that is
 * a number above 0; SIZE_MAX: it is neither, and nothing is cut. */
size_t table_room(void);

/* Takes the steps, in order, until the table fits into `room`. */
void table_fit(struct table *t, size_t room, const struct table_step *steps,
               size_t step_count);

/* One cell, cut to its column's width; the last one ends the row. */
void table_cell(struct table *t, const char *text);

#endif
