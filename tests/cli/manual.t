#!/bin/sh
# The manual: its example is the code that is tested, to the letter.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

sed -n '/^\.Bd -literal/,/^\.Ed/p' "$top/man/ota-reader.3" |
    sed -e '1d;$d' -e 's/\\e/\\/g' >manual.c
sed -n '/^\/\* The above is/q;p' "$top/tests/unit/example.c" |
    sed '$d' >example.c
[ -s manual.c ]
ok $? "ota-reader(3) has an example"
run 0 "which is tests/unit/example.c" diff example.c manual.c

for page in ota-pack.1 ota-agent.1 ota-pack.yml.5 ota-bundle.5 ota-index.5 \
    ota-reader.3; do
    [ -s "$top/man/$page" ]
    ok $? "$page is there"
done
done_testing
