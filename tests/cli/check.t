#!/bin/sh
# check: every mistake of a configuration in one run, to the letter; nothing is
# written.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
unset OTA_T_NONE

# same WHAT: the last run's .err is what was read from standard input into
# want.
same() {
    diff want .err >.diff 2>&1
    ok $? "$1"
    sed 's/^/# /' .diff
}

# untouched: the folder holds what it held before.
untouched() {
    find . -type f ! -name '.*' ! -name want | sort >.now
    cmp -s .before .now
    ok $? "nothing was written"
}

echo 'print(1)' >main.py
cat >ota-pack.yml <<'EOF'
key: release.key
sever: public/
ram: 24K
releases:
  - name: greenhouse
    version: 1.10
    label: "grün und ein Text, der zu lang ist"
    files:
      - main.py
      - {from: main.py, too: lib/main.py}
      - {src: main.py}
      - lib/*.py
    devices:
      - "24:6f:28:aa:bb:cc"
      - {id: 24-6F-28-AA-BB-CC, name: north}
      - {id: "24:6f:28:aa:bb:0g"}
      - {from: fleet.csv}
  - name: "grün ${OTA_T_NONE}"
    version: 7
    fiels: [main.py]
    version: 8
    devices: [246f.28aa.bbcc]
EOF
printf 'id,name\r\n24:6f:28:aa:bb:01,north\r\n24:6f:28:aa:bb:02,"north"\r\n' \
    >fleet.csv
printf '24:6f:28:aa:bb:03\r\n,west\r\n' >>fleet.csv
find . -type f ! -name '.*' | sort >.before

run 3 "a configuration full of mistakes" ota-pack check
cat >want <<'EOF'
ota-pack.yml:21:5: error: duplicate key 'version'
   21 |     version: 8
      |     ^~~~~~~
ota-pack.yml:19:5: note: the previous one is here
   19 |     version: 7
      |     ^~~~~~~
ota-pack.yml:2:1: error: unknown key 'sever' (did you mean 'server'?)
    2 | sever: public/
      | ^~~~~
ota-pack.yml:6:14: error: version '1.10' is not a number from 1 to 2147483647, or auto: text for people goes into 'label'
    6 |     version: 1.10
      |              ^~~~
ota-pack.yml:7:12: error: label 'grün und ein Text, der zu lang ist' is 35 bytes: at most 32
    7 |     label: "grün und ein Text, der zu lang ist"
      |            ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
ota-pack.yml:10:25: error: unknown key 'too' in an item of 'files' (did you mean 'to'?)
   10 |       - {from: main.py, too: lib/main.py}
      |                         ^~~
ota-pack.yml:11:10: error: unknown key 'src' in an item of 'files' (did you mean 'from'?)
   11 |       - {src: main.py}
      |          ^~~
ota-pack.yml:15:14: error: device 24:6f:28:aa:bb:cc is listed twice in release 'greenhouse'
   15 |       - {id: 24-6F-28-AA-BB-CC, name: north}
      |              ^~~~~~~~~~~~~~~~~
ota-pack.yml:14:9: note: first listed here
   14 |       - "24:6f:28:aa:bb:cc"
      |         ^~~~~~~~~~~~~~~~~~~
ota-pack.yml:16:14: error: '24:6f:28:aa:bb:0g' is not a device id: 6 or 8 pairs of hex digits, like 24:6f:28:aa:bb:cc
   16 |       - {id: "24:6f:28:aa:bb:0g"}
      |              ^~~~~~~~~~~~~~~~~~~
fleet.csv:3:1: error: two devices are named 'north'
    3 | 24:6f:28:aa:bb:02,"north"
      | ^~~~~~~~~~~~~~~~~
fleet.csv:2:1: note: the other one is 24:6f:28:aa:bb:01
    2 | 24:6f:28:aa:bb:01,north
      | ^~~~~~~~~~~~~~~~~
fleet.csv:4:1: error: 1 field where the first line names 2 columns
    4 | 24:6f:28:aa:bb:03
      | ^~~~~~~~~~~~~~~~~
fleet.csv:5:1: error: no device id
    5 | ,west
      | ^
ota-pack.yml:18:17: error: variable 'OTA_T_NONE' is not set: set it, or give a default like ${OTA_T_NONE:-text}
   18 |   - name: "grün ${OTA_T_NONE}"
      |                 ^~~~~~~~~~~~~
ota-pack.yml:20:5: error: unknown key 'fiels' in release 'grün ${OTA_T_NONE}' (did you mean 'files'?)
   20 |     fiels: [main.py]
      |     ^~~~~
ota-pack.yml:22:15: error: device 24:6f:28:aa:bb:cc is in two releases, 'greenhouse' and 'grün ${OTA_T_NONE}'
   22 |     devices: [246f.28aa.bbcc]
      |               ^~~~~~~~~~~~~~
ota-pack.yml:14:9: note: first listed here
   14 |       - "24:6f:28:aa:bb:cc"
      |         ^~~~~~~~~~~~~~~~~~~
EOF
head -n "$(wc -l <want)" .err >.head
tail -n "+$(($(wc -l <want) + 1))" .err >.tail
mv .head .err
same "each of them, with its place"
grep -q "^ota-pack.yml:12:9: error: no file matches 'lib/\*.py'" .tail
ok $? "and those of the files, in the same run"
silent out
untouched

for command in plan publish build; do
    run 3 "$command finds them, too" ota-pack "$command"
    untouched
done

run 3 "--json" ota-pack check --json
silent err
says out '{"type":"error","kind":"config","file":"ota-pack.yml","line":2,"col":1,"message":"unknown key '\''sever'\'' (did you mean '\''server'\''?)","v":1}'
says out '{"type":"error","kind":"config","file":"fleet.csv","line":5,"col":1,"message":"no device id","v":1}'
tail -n 1 .out | grep -q '^{"type":"summary",.*"status":3,"errors":15'
ok $? "the summary counts them"

# YAML that is none.
printf 'key: "release.key\nreleases: []\n' >ota-pack.yml
run 3 "a quote that is never closed" ota-pack check
cat >want <<'EOF'
ota-pack.yml:3:1: error: found unexpected end of stream, while scanning a quoted scalar
    3 | 
      | ^
ota-pack.yml:1:6: note: the quoted scalar begins here
    1 | key: "release.key
      |      ^
EOF
same "where it ends, and where it began"
printf 'key: \033[31mred\n' >ota-pack.yml
run 3 "a control character" ota-pack check
cat >want <<'EOF'
ota-pack.yml:1:6: error: character U+001B is not allowed in YAML
    1 | key: \x1b[31mred
      |      ^~~~
EOF
same "which does not reach the terminal"
printf 'key: gr\374n\n' >ota-pack.yml
run 3 "Latin-1" ota-pack check
says err "ota-pack.yml:1:8: error: byte 0xfc is not UTF-8: save the file as UTF-8"

# No file.
rm ota-pack.yml
run 3 "no configuration" ota-pack check
says err "ota-pack: there is no 'ota-pack.yml' here or in a folder above"
says err "('ota-pack init' writes one, -c names another)"
run 3 "a folder for one" ota-pack check -c .
says err "ota-pack: cannot read '.': Is a directory"

# The configuration lies elsewhere; what it names lies beside it.
mkdir sub
cp main.py sub/
printf 'id\n24:6f:28:aa:bb:01\n24:6f:28:aa:bb:0\n' >sub/list.csv
cat >sub/a.yml <<'EOF'
key: release.key
releases:
  - name: greenhouse
    version: auto
    files: [main.py]
    devices: [{from: list.csv}]
EOF
run 3 "a list beside it" ota-pack check -c sub/a.yml
says err "sub/list.csv:3:1: error: '24:6f:28:aa:bb:0' is not a device id"
sed -i '$d' sub/list.csv
run 0 "which is well now" ota-pack check -c sub/a.yml
says out "ok: 1 release, 1 device, 1 file"
rm sub/list.csv
run 4 "or not there" ota-pack check -c sub/a.yml
says err "sub/a.yml:6:22: error: cannot read 'sub/list.csv': No such file or directory"

# Words that narrow.
printf 'id,name\n24:6f:28:aa:bb:01,north\n' >sub/list.csv
run 0 "a release" ota-pack check -c sub/a.yml greenhouse
run 0 "a device's name" ota-pack check -c sub/a.yml north
run 0 "a device's id" ota-pack check -c sub/a.yml 246f.28aa.bb01
run 2 "none of them" ota-pack check -c sub/a.yml greenhose
says err "ota-pack: no release or device 'greenhose' in 'sub/a.yml' (did you mean 'greenhouse'?)"
run 2 "no such device" ota-pack check -c sub/a.yml 24:6f:28:aa:bb:02
says err "ota-pack: device '24:6f:28:aa:bb:02' is not in 'sub/a.yml'"

# The key is not here: a word before anything was published, later an error.
mkdir keyless
echo 'print(1)' >keyless/main.py
cat >keyless/ota-pack.yml <<'YAML'
key: relase.key
server: public/
releases:
  - name: r
    version: 1
    files: [main.py]
    devices: ["24:6f:28:aa:bb:01"]
YAML
run 0 "no key yet" ota-pack check -c keyless/ota-pack.yml
says out "ok: 1 release, 1 device, 1 file"
says err "keyless/ota-pack.yml:1:6: warning: there is no key file 'keyless/relase.key': copy the one that your devices trust, or make a first one with 'ota-pack keygen keyless/relase'"
run 6 "and none to publish" ota-pack publish -c keyless/ota-pack.yml
says err "keyless/ota-pack.yml:1:6: error: there is no key file 'keyless/relase.key'"
[ ! -e keyless/public/index ]
ok $? "nothing is published"
ota-pack keygen -W keyless/relase >/dev/null
sed 's/relase.key/relase.pub/' keyless/ota-pack.yml >keyless/pub.yml
chmod 644 keyless/relase.pub
run 6 "the public half" ota-pack publish -c keyless/pub.yml
says err "ota-pack: 'keyless/relase.pub' is a public key: 'key' takes the secret one, or set 'sign_command'"
! grep -q chmod .err
ok $? "which anybody may read"

# The examples of the manual, with the files that they name.
mkdir manual
cd manual || exit 1
awk '/^\.Bd -literal/ { begins = 1; next } /^\.Ed/ { file = "" }
    begins { begins = 0; if (!/^{/) file = "part" ++n } # not a JSON policy
    file { print > file }' "$top/man/ota-pack.yml.5"
mkdir -p lib/deep build site src/a
for file in main.py program.py lib/one.py lib/deep/two.py build/net.py src/a/b \
    firmware.bin run.sh; do
    echo "$file" >"$file"
done
for id in cc cd 01 02; do
    echo "{}" >"site/246f28aabb$id.json"
done
run 0 "the least" ota-pack check -c part1
mv part3 fleet.csv
printf 'id\n24:6f:28:aa:bb:f1\n' >gateways.csv
run 0 "two releases" env -u OTA_PACK_KEY ota-pack check -c part2
says out "ok: 2 releases, 5 devices, "
sed -n '/^releases:/,$p' part1 >>part4
run 0 "sign_command" ota-pack check -c part4
# The secret key, and what was published, are for no device.
mkdir everything
cd everything || exit 1
ota-pack keygen -W release >/dev/null 2>&1
cp release.key copy.key
cat >ota-pack.yml <<'EOT'
key: release.key
server: ./public/
releases:
  - {name: r, version: auto, files: ["**"], devices: ["24:6f:28:aa:bb:cc"]}
EOT
run 3 'the key among the files' ota-pack publish
says err "ota-pack.yml:4:38: error: 'release.key:2' holds a secret signing key, with which"
says err "error: 'copy.key:2' holds a secret signing key, with which anybody could sign"
[ ! -e public ]
ok $? 'nothing was written'
rm copy.key
sed 's/files/exclude: ["*.key"], files/' ota-pack.yml >x && mv x ota-pack.yml
run 0 'without it' ota-pack publish
run 3 'what was published among the files' ota-pack publish
says err "error: '**' matches what is published in 'public': put 'public/**'"
[ "$(grep -c error: "$work/.err")" -eq 1 ]
ok $? 'said once'
sed 's/"\*\.key"/&, "public\/**"/' ota-pack.yml >x && mv x ota-pack.yml
run 0 'without that' ota-pack publish
run 0 'again' ota-pack publish
silent out
cd ..
done_testing
