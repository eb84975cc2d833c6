# The house rules on size: no function over 80 lines, no file over 600, no line
# over 80 columns.  Relies on clang-format: a function's braces stand alone in
# the first column.
function bad(line, what) { printf "%s:%d: %s\n", FILENAME, line, what; failed = 1 }

FNR == 1 { head = 0 }
FNR == 601 { bad(601, "a file of more than 600 lines") }
{
    wide = $0
    gsub(/[\200-\277]/, "", wide) # columns, not bytes
    if (length(wide) > 80) bad(FNR, "a line of " length(wide) " columns")
}
/^[a-zA-Z_]/ && !head { head = FNR }
/[;}]$|^$|^#/ && !body { head = 0 }
/^{$/ { body = FNR; if (!head) head = FNR }
/^}/ && body {
    n = FNR - head + 1
    size[++count] = n
    if (n > 80) bad(head, "a function of " n " lines")
    body = head = 0
}
END {
    for (i = 2; i <= count; i++) { # insertion sort: a few hundred of them
        n = size[i]
        for (j = i - 1; j > 0 && size[j] > n; j--) size[j + 1] = size[j]
        size[j + 1] = n
    }
    printf "house rules: %d functions, median %d lines, 95%% below %d, longest %d\n",
        count, size[int((count + 1) / 2)], size[int(count * 0.95) + 1] + 1, size[count]
    exit failed
}
