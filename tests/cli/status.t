#!/bin/sh
# status: every device, what it has, since when; damage is no empty index.
. "$(dirname "$0")/lib.sh"

export TZ=UTC-1
ota-pack keygen -W release >/dev/null
echo 'print(1)' >main.py
config() {
    cat >ota-pack.yml <<YAML
key: release.key
server: public/
releases:
  - name: greenhouse
    version: 7
    label: "2026.11"
    files: [main.py]
    devices:
      - {id: "24:6f:28:aa:bb:01", name: north-bed}
$1
  - name: cellar
    version: 8
    files: [main.py]
    devices:
      - "24:6f:28:aa:bb:09"
$2
YAML
}
tin='      - {id: "24:6f:28:aa:bb:02", name: tür}'
long='      - "24:6f:28:aa:bb:03:04:05"'

config "$tin" ""
run 0 "nothing is published" ota-pack status
cat >want <<'EOT'
NAME       ID                 RELEASE     VERSION  LABEL  WHEN
north-bed  24:6f:28:aa:bb:01  greenhouse  -        -      never
tür        24:6f:28:aa:bb:02  greenhouse  -        -      never
-          24:6f:28:aa:bb:09  cellar      -        -      never
3 devices: 0 published, 3 never
EOT
cmp -s want .out
ok $? "never"
[ ! -e public ]
ok $? "no folder is made"

run 0 "publish" ota-pack publish
config "" "$tin
$long"
run 0 "after changes" ota-pack status
cat >want <<'EOT'
NAME       ID                       RELEASE     VERSION  LABEL    WHEN
north-bed  24:6f:28:aa:bb:01        greenhouse  7        2026.11  2026-09-21 15:13:20
-          24:6f:28:aa:bb:09        cellar      8        -        2026-09-21 15:13:20
tür        24:6f:28:aa:bb:02        greenhouse  7        2026.11  2026-09-21 15:13:20  moves to 'cellar'
-          24:6f:28:aa:bb:03:04:05  cellar      -        -        never
4 devices: 3 published, 1 never
EOT
cmp -s want .out
ok $? "local time, another release, a new device"
silent err

config "" ""
run 0 "a device is gone from the configuration" ota-pack status
says out 'tür        24:6f:28:aa:bb:02  greenhouse  7        2026.11  2026-09-21 15:13:20  not listed'
says out '3 devices: 3 published, 0 never; 1 not listed'
run 0 "one release" ota-pack status cellar
says out '1 device: 1 published, 0 never'
run 0 "as JSON" ota-pack status --json
cat >want <<'EOT'
{"type":"device","id":"246f28aabb01","name":"north-bed","release":"greenhouse","version":7,"label":"2026.11","created":1790000000,"listed":true,"v":1}
{"type":"device","id":"246f28aabb09","name":null,"release":"cellar","version":8,"label":null,"created":1790000000,"listed":true,"v":1}
{"type":"device","id":"246f28aabb02","name":"tür","release":"greenhouse","version":7,"label":"2026.11","created":1790000000,"listed":false,"v":1}
{"type":"summary","status":0,"errors":0,"devices":3,"published":3,"never":0,"not_listed":1,"withdrawn":0,"v":1}
EOT
cmp -s want .out
ok $? "in UTC"
run 2 "an unknown device" ota-pack status nowhere

cp -r public whole
find public/index -type f ! -name head -exec rm {} +
run 5 "a shard is missing" ota-pack status
says err "is missing: if somebody publishes there just now, try again"
cp whole/index/* public/index
head -c 100 whole/index/head >public/index/head
run 5 "a torn head" ota-pack status
says err "the index in 'public' is damaged (head: it ends too early): put its 'index' folder back from a copy"
silent out
: >public/index/head
run 5 "an empty head" ota-pack publish
cp whole/index/head public/index
ota-pack keygen -W other >/dev/null
sed -i 's/release.key/other.key/' ota-pack.yml
run 6 "another key" ota-pack status
says err "'public' was published with key "
diff -r public whole >/dev/null
ok $? "nothing was touched"

done_testing
