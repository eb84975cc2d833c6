#!/bin/sh
# On a terminal: tables that fit it, a line where there was nothing to do.
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet

# fits COLUMNS: no line of .out is wider, as Perl counts (two for CJK and emoji,
# none for marks).
fits() {
    perl -CSD -ne 'chomp; next if /^\d+ devices:/; s/\p{Mn}|\x{200d}|\x{fe0f}//g;
        $w = () = /[\x{1100}-\x{115f}\x{2e80}-\x{a4c6}\x{ac00}-\x{d7a3}\x{ff01}-\x{ff60}\x{1f300}-\x{1faff}]/g;
        $bad = 1 if length() + $w > '"$1"'; END { exit($bad // 0) }' .out
    ok $? "no line is wider than $1"
}

cat <<'EOT' >ota-pack.yml
key: release.key
server: public/
releases:
  - name: greenhouse-of-the-north-side
    version: auto
    label: "2026.11 with all that you asked"
    files: [main.py]
    devices:
      - {id: "24:6f:28:00:00:01", name: north-bed-with-tomatoes}
      - {id: "24:6f:28:00:00:02", name: "温室北側ベッド"}
      - {id: "24:6f:28:00:00:03", name: "🍅🚀"}
      - {id: "24:6f:28:00:00:04", name: "Grün"}
EOT
run 0 'publish' ota-pack publish -q
run 0 'status into a file' ota-pack status
says out 'north-bed-with-tomatoes  24:6f:28:00:00:01  greenhouse-of-the-north-side  1'
says out '温室北側ベッド           24:6f:28:00:00:02  '
says out '🍅🚀                     24:6f:28:00:00:03  '
says out 'Grün                     24:6f:28:00:00:04  '
run 0 'in 80 columns' env COLUMNS=80 ota-pack status
fits 80
says out 'north-bed-with-tomatoes  24:6f:28:00:00:01  '
says out '温室北側ベッド           24:6f:28:00:00:02  '
run 0 'in 40 columns' env COLUMNS=40 ota-pack status
fits 40
says out 'north-bed...  24:6f:28:00:00:01  1'
says out '温室北側...   24:6f:28:00:00:02  1'
! grep -q '[^ ]24:6f' .out
ok $? 'nothing runs into anything'
for columns in 1 20 30 41 50 60 70 100; do
    run 0 "in $columns" env COLUMNS=$columns ota-pack status
    ! grep -q '[^ ]24:6f\|24:6f:28:00:00:0.[^ ]' .out
    ok $? 'columns stay apart'
    [ $columns -lt 31 ] || fits $columns
done
sed -i '/00:04/d' ota-pack.yml
run 0 'in 50 columns' env COLUMNS=50 ota-pack status
grep -q '^  not listed$' .out
ok $? 'a note on a line of its own'

# terminal COMMAND...: its output, as a terminal of 80 columns has it, in .out.
terminal() {
    TERM=dumb script -qec "stty cols 80; $*" /dev/null </dev/null 2>.err |
        tr -d '\r' >.out
}
if ! has_terminal; then
    ok 0 'a terminal # SKIP script(1) is not there'
    done_testing
fi
terminal ota-pack status
fits 80
says out 'north-bed-with-tomatoes  24:6f:28:00:00:01  '
# What found nothing to do says so to a person, and to nobody else.
cat <<'EOT' >ota-pack.yml
key: release.key
server: public/
releases:
  - name: greenhouse
    version: auto
    files: [main.py]
    devices: ["24:6f:28:00:00:01", "24:6f:28:00:00:02", "24:6f:28:00:00:04"]
EOT
rm -r public
forget
run 0 'publish' ota-pack publish -q
echo 'import this' >main.py
run 0 'another' ota-pack publish -q
idle() { # TEXT COMMAND...
    text=$1
    shift
    terminal ota-pack "$@"
    says out "$text"
    terminal ota-pack "$@" -q
    silent out
    run 0 "$* into a file" ota-pack "$@"
    silent out
    silent err
    run 0 "$* --json" ota-pack "$@" --json
    ! grep -q 'nothing' .out
    ok $? 'objects alone'
}
idle 'nothing to do: 3 devices, nothing has changed since the last publish' \
    publish
idle 'nothing to do: 1 device is up to date' \
    publish 24:6f:28:00:00:02
idle 'nothing to prune' prune
ota-pack rollback -q greenhouse --to 1
idle "nothing to do: 'greenhouse' has the content of version 1" \
    rollback greenhouse --to 1
sed -i 's/, "24:6f:28:00:00:04"//' ota-pack.yml
ota-pack withdraw -q 24:6f:28:00:00:04
idle 'nothing to do: they have no manifest' withdraw 24:6f:28:00:00:04
terminal ota-pack publish
says out 'nothing to do: 0 up to date, 2 left alone'
done_testing
