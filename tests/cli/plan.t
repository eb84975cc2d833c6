#!/bin/sh
# plan: what it says, what it refuses, and that it writes nothing.
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
config 7

run 0 'a first plan' ota-pack plan
says out 'greenhouse: version 7 for 3 devices, 3 files of '
says out '  + lib/net.py     17 B'
says out '  + 24:6f:28:00:00:01 north  new, gets version 7'
says out '3 devices to be written: 3 new; 0 up to date'
silent err
[ ! -e public ]
ok $? 'nothing was written'
run 10 '--exit-code with changes' ota-pack plan --exit-code
run 0 '-q' ota-pack plan -q
silent out

run 0 'publish' ota-pack publish
run 0 'nothing to do' ota-pack plan --exit-code
says out 'nothing to do: 3 devices are up to date'
run 0 'publish -n' ota-pack publish -n
says out 'nothing to do: 3 devices are up to date'

# The same version with other content.
echo 'def read(): return 22' >lib/sensor.py
run 3 'the same version, other content' ota-pack plan
says err "ota-pack.yml:5:14: error: version 7 of 'greenhouse' is already \
published with other content: set 'version: 8' (or 'version: auto')"
run 3 'the same by publish' ota-pack publish
stamp public >before
run 3 'the same by check' ota-pack check
run 3 'the same by build' ota-pack build
config 6
run 3 'a version below, other content' ota-pack plan
says err "version 6 of 'greenhouse' is already published with other content: \
set 'version: 8' (or 'version: auto')"

config 8
echo '# more' >lib/more.py
rm lib/net.py
run 0 'a change' ota-pack plan
says out 'greenhouse: version 7 -> 8 for 3 devices, 3 files of '
says out '  + lib/more.py    7 B'
says out '  - lib/net.py     17 B'
says out '  ~ lib/sensor.py  21 B -> 22 B'
says out '  ~ 24:6f:28:00:00:02 south  version 7 -> 8'
says out '3 devices to be written: 3 changed; 0 up to date'
config auto
run 0 'auto' ota-pack plan
says out 'greenhouse: version 7 -> 8 for 3 devices'

run 0 'narrowed to a device' ota-pack plan south
says out 'greenhouse: version 7 -> 8 for 1 device, '
says out '1 device to be written: 1 changed; 0 up to date'
run 2 'an unknown name' ota-pack plan souht

run 0 '--json' ota-pack plan --json
says out '{"type":"release","name":"greenhouse","before":7,"version":8,"devices":3,"unchanged":0,"resumed":false,"v":1}'
says out '{"type":"file","release":"greenhouse","group":0,"change":"~","path":"lib/sensor.py","kind":"file","before":21,"after":22,"v":1}'
says out '{"type":"device","id":"246f28000001","name":"north","release":"greenhouse","group":0,"why":"changed","before":7,"version":8,"v":1}'
tail -n1 "$work/.out" | grep -q '^{"type":"summary","status":0,'
ok $? 'the last line is the summary'

# The content of before again is no change, where the number is the same.
rm lib/more.py
echo 'def join(): pass' >lib/net.py
echo 'def read(): return 1' >lib/sensor.py
config 7
run 0 'the content of before' ota-pack plan --exit-code
says out 'nothing to do: 3 devices are up to date'
config 9
run 10 'a version above, the same content' ota-pack plan --exit-code
says out 'greenhouse: version 7 -> 9 for 3 devices'
config 3
run 3 'a version below, the same content' ota-pack plan --exit-code
says err "version 3 of 'greenhouse' is below 7"
config 7
sed 's/2026.11/2026.12/' ota-pack.yml >x && mv x ota-pack.yml
run 3 'another label' ota-pack plan --exit-code
config 7
stamp public >after
cmp -s before after
ok $? 'a plan writes nothing'

# Not listed.
grep -v 00:03 ota-pack.yml >x && mv x ota-pack.yml
run 10 'a device that is gone from the file' ota-pack plan --exit-code
says out "    24:6f:28:00:00:03  not listed, keeps 'greenhouse' version 7"

# Deletes.
config 8 '    delete: [lib/net.py]'
run 3 'a file that is installed and deleted' ota-pack plan
says err "'lib/net.py' is to be deleted, and 'files' installs it"
run 3 'the same by check' ota-pack check
config 8 '    delete: [main.py/x]'
run 3 'a path below a file' ota-pack plan
says err "'main.py/x' is to be deleted, and lies below the file 'main.py'"

# A folder cannot become a file in one step.
config 8
sed 's/- lib\/\*.py/- {from: main.py, to: lib}/' ota-pack.yml >x
mv x ota-pack.yml
run 3 'a folder becomes a file' ota-pack plan
says err "ota-pack.yml:9:16: error: 'lib' cannot become a file in one step: \
what is published has a file 'lib/net.py' in a folder of that name; publish a \
version without 'lib' first, then one with it"
run 3 'the same by check' ota-pack check

# Without what it needs.
config 7
grep -v server: ota-pack.yml >x && mv x ota-pack.yml
run 3 'no server' ota-pack plan
says err "'ota-pack.yml' has no 'server'"
config 7
rm main.py
run 4 'a file that is missing' ota-pack plan
run 2 'an unknown option' ota-pack plan --exitcode
says err "did you mean '--exit-code'?"
done_testing
