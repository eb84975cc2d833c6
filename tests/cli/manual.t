#!/bin/sh
# The manual: its examples are the code that is tested, to the letter.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# The displays that are not indented are the examples, in this order.
number=0
for example in example example_install; do
    number=$((number + 1))
    awk -v number=$number '
        /^\.Ed/ { on = 0 }
        on { print }
        /^\.Bd -literal$/ { on = ++n == number }' "$top/man/ota-reader.3" |
        sed 's/\\e/\\/g' >manual.c
    sed -n '/^\/\* The above is/q;p' "$top/tests/unit/$example.c" |
        sed '$d' >example.c
    [ -s manual.c ]
    ok $? "ota-reader(3) has example $number"
    run 0 "which is tests/unit/$example.c" diff example.c manual.c
done

version=$(ota-pack --version | sed 's/^[^ ]* //')
for page in ota-pack.1 ota-agent.1 ota-pack.yml.5 ota-pack-json.5 ota-bundle.5 \
    ota-index.5 ota-reader.3 ota-install.7 ota-publish.7; do
    grep -qx "\.Os ota-pack $version" "$top/man/$page"
    ok $? "$page says the program's version"
done

# The checks of doctor.
cat "$top"/src/publish/doctor*.c | tr '\n' ' ' |
    grep -oE 'doctor_say(_heard)?\(&?[a-z]+, *"[a-z]+"' |
    sed 's/.*"\(.*\)"/\1/' | sort -u >checks
sed -n '/^\.It Nm Cm doctor/,/^\.It Nm Cm show/s/^\.It Li //p' \
    "$top/man/ota-pack.1" | sed 's/ , /\n/g' | sort >described
run 0 'ota-pack(1) has the checks of doctor' diff checks described
done_testing
