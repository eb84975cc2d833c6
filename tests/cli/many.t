#!/bin/sh
# Many devices: one mistake is one message, one change is one line.
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet

# devices COUNT WORD: list.csv with that many, and a site of theirs.
devices() {
    awk -v n="$1" -v word="$2" 'BEGIN {
        print "id,name,site"
        for (i = 0; i < n; i++)
            printf "24:6f:28:00:%02x:%02x,d%d,%s%d\n", i / 256, i % 256, i,
                word, i
    }' >list.csv
}

# many FILE [LINE]...: ota-pack.yml with that file for each device of list.csv.
many() {
    cat <<EOT >ota-pack.yml
key: release.key
server: public/
releases:
  - name: greenhouse
    version: auto
    files:
      - main.py
      - lib/*.py
      - {from: "$1", to: site.json}
    devices:
      - {from: list.csv}
EOT
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@" >>ota-pack.yml
}

# errors COUNT: the last run told that many.
errors() {
    [ "$(grep -c ': error: ' .err)" -eq "$1" ]
    ok $? "$1 error(s)"
}

devices 2000 bed
many 'site/{site}.json'
run 4 'no file for 2,000 devices' ota-pack check
errors 1
says err "ota-pack.yml:9:16: error: cannot open 'site/bed0.json': No such file \
or directory (2000 devices: '24:6f:28:00:00:00', '24:6f:28:00:00:01', \
'24:6f:28:00:00:02' and 1997 more)"
run 4 'the same as JSON' ota-pack check --json
[ "$(grep -c '"type":"error"' .out)" -eq 1 ]
ok $? 'one line'
says out ',"count":2000,"examples":["24:6f:28:00:00:00","24:6f:28:00:00:01",'
says out '{"type":"summary","status":4,"errors":1,"v":1}'

many 'site/{sight}.json'
run 3 'a value that no device has' ota-pack plan
errors 1
says err "there is no value for '{sight}' (2000 devices: "
many 'site/{site}.json'
devices 2000 a/
run 3 'a value that may not be' ota-pack publish
errors 1
says err "the value 'a/0' for '{site}' has a '/' (2000 devices: "
devices 2000 bed
sed -n 2,2000p list.csv >>list.csv
run 3 'devices that are listed twice' ota-pack check
errors 2
says err "device 24:6f:28:00:00:00 is listed twice in release 'greenhouse' \
(1999 times: lines 2002, 2003, 2004 and 1996 more)"
[ "$(grep -c ': note: ' .err)" -eq 1 ]
ok $? 'and one note'
devices 2000 bed,
run 3 'a column too many' ota-pack check
errors 1
says err 'list.csv:2:1: error: 4 fields where the first line names 3 columns (2000 '
devices 2000 bed
sed -i 's/:28:/:2g:/' list.csv
run 3 'ids that are none' ota-pack check
errors 1
devices 3 bed
mkdir site
echo 1 >site/bed1.json
run 4 'two of three' ota-pack check
errors 1
says err "(2 devices: '24:6f:28:00:00:00' and '24:6f:28:00:00:02')"
many 'site/{site}.json' '      - {id: "24:6f:28:00:00:aa", site: york}' \
    '      - {id: "24:6f:28:00:00:ab", sight: kew}'
run 4 'mistakes of several kinds' ota-pack check
errors 2
says err "there is no value for '{site}' (device '24:6f:28:00:00:ab')"

# A file of each device's own that is at another's place.
many 'site/{site}.json' '    delete: [site.json]'
for i in 0 2; do echo 1 >site/bed$i.json; done
run 3 'a DELETE of what each installs' ota-pack check
errors 1

# The same change of many: -v lists them.
devices 40 bed
awk 'BEGIN { for (i = 0; i < 40; i++) {
    f = "site/bed" i ".json"; printf "%0" (10 + i % 3) "d", i >f; close(f) } }'
many 'site/{site}.json'
run 0 'a first plan for 40' ota-pack plan
says out '  + main.py        11 B'
says out '  + site.json      10 B to 12 B'
[ "$(wc -l <.out)" -eq 7 ]
ok $? 'seven lines'
says out '  + 40 devices  new, gets version 1: 24:6f:28:00:00:00 d0, \
24:6f:28:00:00:01 d1, 24:6f:28:00:00:02 d2 and 37 more (-v lists them)'
run 0 'all of them' ota-pack plan -v
[ "$(grep -c 'main.py' .out)" -eq 1 ]
ok $? 'a shared file is named once'
[ "$(grep -c '  + site.json  ' .out)" -eq 40 ]
ok $? 'what is of their own for each'
says out '  + 24:6f:28:00:00:27 d39  new, gets version 1'
run 0 'publish' ota-pack publish -q
echo 'import this' >main.py
printf 'something else' >site/bed7.json
run 0 'a change for all, and one for one' ota-pack plan
says out '  ~ main.py    11 B -> 12 B'
says out '  ~ site.json  11 B -> 14 B, for 1 device'
says out '  ~ 40 devices  version 1 -> 2: '
echo '24:6f:28:00:09:00,late,bed1' >>list.csv
run 0 'and a new one' ota-pack plan
says out '  + 24:6f:28:00:09:00 late  new, gets version 1'
says out '  ~ 40 devices  version 1 -> 2: '
run 0 'publish' ota-pack publish -q
devices 20 bed
run 0 'devices that are no longer listed' ota-pack plan
says out '    and 18 more that are not listed (-v lists them)'
run 0 'all of these' ota-pack plan -v
[ "$(grep -c 'not listed, keeps' .out)" -eq 21 ]
ok $? 'are listed'

# A few devices: each is listed, and a shared file is named once all the same.
devices 3 bed
many 'site/{site}.json'
echo 'import that too' >main.py
echo 22 >site/bed1.json
run 0 'a plan for three' ota-pack plan
[ "$(grep -c 'main.py' .out)" -eq 1 ]
ok $? 'a shared file is named once'
grep -A 1 '  ~ site.json  ' .out | grep -qF '24:6f:28:00:00:01 d1  version'
ok $? 'a device follows what is its own'

# A path of each device's own: twice as many take twice as long.
# hundredths COMMAND...: of a second that it takes of the processor.
hundredths() {
    (
        "$@" >/dev/null 2>&1
        times
    ) | awk 'NR == 2 { gsub(/[ms]/, " ")
        printf "%d\n", 6000 * ($1 + $3) + 100 * ($2 + $4) }'
}
rm -rf public
forget
devices 10000 bed
many 'site/{site}.json'
sed -i 's|- {from: "site.*|- "site/{site}.json"|' ota-pack.yml
awk 'BEGIN { for (i = 0; i < 10000; i++) {
    f = "site/bed" i ".json"; print i >f; close(f) } }'
run 0 'paths of 10,000 devices' ota-pack plan
[ "$(grep -c '  + site/bed[0-9]*.json  .*, for 1 device$' .out)" -eq 10000 ]
ok $? 'each is named'
: >.out
least=$(hundredths ota-pack check)
spent=$(hundredths ota-pack plan)
[ "$spent" -lt $((8 * least + 20)) ]
ok $? "plan takes $spent/100 s of the processor where check takes $least/100 s"
done_testing
