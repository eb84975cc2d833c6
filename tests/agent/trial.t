#!/bin/sh
# What does not prove good is undone, without anyone's help, and stays undone.
. "$(dirname "$0")/agent.sh"
fleet
# The program of the device: a version confirms itself, does not, or crashes.
good='ota-agent -c agent.conf -q confirm 2>/dev/null; echo runs'
echo "$good" >main.py
publish 1
mkdir dev
serve public
settings
agent poll --now >/dev/null
agent status >"$work/.out"
says out 'what was there before can be brought back: '"'ota-agent undo'"
cp -a dev first
run 0 'undo of the first version' agent undo
says err 'version 1 was undone: undone by hand; what was there before is back'
rm -rf dev
mv first dev
run 0 'boot' agent boot
says out 'version 1 is on trial: 2 more boots to confirm it'
run 0 'boot' agent boot
says out 'version 1 is on trial: 1 more boot to confirm it'
agent status >"$work/.out"
says out '1 more boot or poll may pass before that, or 100 planned wakes; then the next boot undoes it'
agent confirm >/dev/null
cp -r dev one

# power: what happens from power on: boot, then the program.
power() {
    agent boot >"$work/.out" 2>"$work/.err" || return
    sh dev/main.py >>"$work/.out" 2>&1
}

# lives WHAT: a version that is bad in that way is undone after its chances.
lives() {
    publish "$2"
    run 10 "version $2, which $1" agent poll
    boots=0
    until is version "$3" 2>/dev/null >&2; do power; done
    while is version "$2" >/dev/null && [ $boots -lt 20 ]; do
        power
        boots=$((boots + 1))
    done
    ok $((boots != 4)) "is undone at the fourth boot after its first ($boots)"
    says err "version $2 was undone: it was never confirmed; version 1 is back"
    same dev one && is phase idle failed "$2" reason 64
    ok $? 'all old again'
    run 9 'not installed again at the next poll' agent poll
    says err 'failed-before'
    power
    same dev one
    ok $? 'nor at the next boot'
}

echo 'exit 1' >main.py
lives 'crashes at its start' 2 2
echo 'echo runs, and forgets to confirm' >main.py
lives 'never confirms' 3 3
rule
agent poll >/dev/null
rule
agent poll
grep -q '^304 .*?v=1&p=idle&f=3&e=64 conditional$' a.log
ok $? 'and the server knows'
echo "$good # fixed" >main.py
publish 4
run 10 'a fixed version' agent poll
power
is version 4 phase idle failed 3 && cmp -s main.py dev/main.py
ok $? 'is installed and confirmed itself'
is reason 64
ok $? 'why the version before it failed is still known'
for _ in 1 2 3 4 5 6; do power; done
is version 4
ok $? 'and stays'

# Polls use up chances, too, and --now needs no boot at all.
echo 'true' >main.py
publish 5
agent poll --now >/dev/null
for _ in 1 2 3; do agent poll || echo failed; done >"$work/.out" 2>&1
says out "version 5 is on trial: this poll used up a chance, and none is left: 'ota-agent confirm' keeps it"
is chances 0 version 5
ok $? 'three polls on trial: no chance is left'
run 10 'a further one asks for a restart' agent poll
says err "version 5 was not confirmed, and no chance is left: restart, or 'ota-agent boot', to go back"
run 11 'with --now it is undone at once' agent poll --now
says err 'version 5 was undone: it was never confirmed; version 4 is back'
is version 4 failed 5
ok $? 'undone'

# Planned wakes have a limit of their own.
echo 'false' >main.py
publish 6
agent poll --now >/dev/null
for _ in 1 2 3 4 5 6; do agent boot --planned >/dev/null; done
is version 6 chances 3 wakes 94
ok $? 'planned wakes use no chance'
agent undo >/dev/null 2>&1
echo 'echo seven' >main.py
publish 7
agent poll --now --wakes 2 --chances 1 >/dev/null
agent boot --planned >/dev/null
agent boot --planned >/dev/null
run 0 'the third of two wakes' agent boot --planned
says err 'version 7 was undone'

# Between the owner's commands.
echo 'echo eight' >main.py
publish 8
settings 'now = yes' 'stop-command = echo "stop $(cat dev/main.py)" >>steps' \
    'start-command = echo "start $(cat dev/main.py)" >>steps'
cp dev/main.py before
run 0 'with stop and start' agent poll --confirm-command 'echo confirm >>steps'
says out 'version 8 is confirmed'
[ "$(cat steps)" = "$(printf 'stop %s\nstart echo eight\nconfirm' "$(cat before)")" ]
ok $? 'in this order'
is version 8 phase idle
ok $? 'confirmed'

bad() { # WHAT SAYS OPTION...
    what=$1 says=$2
    shift 2
    next=$((next + 1))
    echo "echo $next" >main.py
    publish $next
    cp -r dev last
    rm steps
    run 11 "$what" agent poll "$@"
    says err "$says"
    says err "version $next was undone: the confirm command failed; version 8 is back"
    same dev last && is version 8 phase idle failed $next reason 67
    ok $? 'all old again'
    printf 'stop echo 8\nstart echo %s\nstop echo %s\nstart echo 8\n' $next $next |
        sed 's/echo 8/echo eight/' | cmp -s - steps
    ok $? 'stop, start, stop, start'
    rm -rf last
}
next=8
bad 'a confirm command that fails' 'the confirm command failed: exit 3' \
    --confirm-command 'exit 3'
bad 'one that takes too long' 'the confirm command took more than 1 second' \
    --confirm-command 'sleep 100' --command-timeout 1
bad 'one that is killed' 'the confirm command was ended by signal 9' \
    --confirm-command 'kill -9 $$'
settings 'now = yes' \
    'start-command = test "$(cat dev/main.py)" = "echo eight"'
next=$((next + 1))
echo "echo $next" >main.py
publish $next
run 11 'a version that does not even start' agent poll
says err 'the start command failed: exit 1'
is version 8 phase idle reason 67
ok $? 'undone'
settings 'now = yes' 'stop-command = false'
next=$((next + 1))
echo "echo $next" >main.py
publish $next
run 1 'what cannot be stopped' agent poll
says err 'the stop command failed: exit 1'
is version 8 phase ready && [ "$(cat dev/main.py)" = 'echo eight' ]
ok $? 'is left as it is'

# A confirm command has nothing to say about a version that boot installs: what
# it judges is not started yet.
settings 'confirm-command = grep -q 13 dev/main.py'
run 0 'boot' agent boot
is version 13 phase trial
ok $? 'leaves it on trial'
run 0 'the next poll' agent poll
says out 'version 13 is confirmed'
echo 'echo 14' >main.py
publish 14
agent poll >/dev/null
agent boot >/dev/null
agent undo >/dev/null 2>&1

# By hand.
run 12 'undo twice' agent undo
says err "there is nothing to go back to: 'ota-agent poll' asks for a new version (state)"
run 12 'confirm nothing' agent confirm
says err "nothing is on trial: 'ota-agent poll' asks for a new version (state)"
echo 'echo 15' >main.py
publish 15
ota-pack build -o cards >/dev/null 2>&1
settings
agent poll >/dev/null
for command in confirm undo; do
    run 12 "$command before a boot" agent $command
    says err ": an update is staged, and 'ota-agent boot' installs it (state)"
done
run 0 'boot' agent boot
run 12 'apply during a trial' agent apply cards/$device/15.otab
says err 'version 15 is on trial: confirm or undo it first (state)'

# Damage.
head -c 50 /dev/urandom >dev/.ota/state0
head -c 50 /dev/urandom >dev/.ota/state1
cp -r dev damaged
for command in poll boot confirm undo "apply $work/main.py" status; do
    # shellcheck disable=SC2086 # words
    run 12 "$command with a damaged state" agent $command
    says err "the state in '$work/dev/.ota' is damaged: nothing is installed until 'ota-agent reset' (state)"
done
run 12 'status as JSON' agent status --json
says out '{"type":"status","phase":"damaged","v":1}'
same dev damaged
ok $? 'nothing was touched'
run 0 'reset' agent reset
same dev damaged && is version 0 highest 0
ok $? 'the files stay'
run 12 'reset of what is well' agent reset
says err 'the state is not damaged, and nothing was forgotten (--force does it anyway: '
run 0 'the next poll installs again' agent poll --now
is version 15
ok $? 'installed'

# What the owner's commands inherit, and what the agent did.
agent confirm >/dev/null
settings 'now = yes' 'stop-command = grep SigBlk /proc/self/status >blocked' \
    'start-command = grep SigBlk /proc/self/status >>blocked' \
    'confirm-command = exit 1'
echo 'echo 16' >main.py
publish 16
agent poll >/dev/null 2>&1
[ "$(sort -u blocked)" = "$(printf 'SigBlk:\t0000000000000000')" ]
ok $? 'signals can end them'
echo 'echo 17' >main.py
publish 17
ignored() {
    perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "$@"
}
run 11 'where SIGCHLD is ignored' ignored ota-agent -c agent.conf poll
says err 'the confirm command failed: exit 1'
done_testing
