# Sourced by blocks.t here and in tests/servers: what README.md and the manual
# show set apart, each block in a file of its own.
# shellcheck shell=sh

# blocks: into $work/blocks: PAGE:LINE.LANGUAGE, the language of a fence,
# `indent` or `man`; $work/blocks/list has their names in order.
blocks() {
    rm -rf "$work/blocks"
    mkdir "$work/blocks"
    for page in "$top/README.md" "$top"/man/*.[1357]; do
        case $page in *.md) language=indent ;; *) language="man" ;; esac
        awk -v folder="$work/blocks" -v page="${page##*/}" \
            -v language=$language '
function begin(l) {
    name = page ":" FNR "." l
    print name >>(folder "/list")
    file = folder "/" name
    printf "" >file
    empty = ""
}
function end() { if (file) close(file); file = ""; fence = 0 }
language == "indent" {
    if (/^```/ && fence) { end(); next }
    if (/^```/) { end(); begin(length($0) > 3 ? substr($0, 4) : "plain")
        fence = 1; next }
    if (fence) { print >file; next }
    if (/^    / && (file || blank)) {
        if (!file) begin("indent")
        printf "%s%s\n", empty, substr($0, 5) >file
        empty = ""
    } else if (/^$/ && file) empty = empty "\n"
    else end()
    blank = /^$/
    next
}
/^\.Ed/ { end() }
file {
    gsub(/\\\(dq/, "\""); gsub(/\\&/, ""); gsub(/\\-/, "-")
    gsub(/\\e/, "\\")
    print >file
}
/^\.Bd -literal/ { begin("man") }
/^\.Dl / {
    begin("man")
    sub(/^\.Dl /, ""); gsub(/\\\(dq/, "\"")
    print >file
    end()
}' "$page"
    done
}

# block PATTERN: the first block with a line that matches, on standard output.
block() {
    while read -r name; do
        if grep -q -e "$1" "$work/blocks/$name"; then
            cat "$work/blocks/$name"
            return
        fi
    done <"$work/blocks/list"
    echo "no block with '$1'" >&2
    return 1
}
