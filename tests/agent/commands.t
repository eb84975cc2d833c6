#!/bin/sh
# The owner's commands: while one of them runs, what it started may confirm.
. "$(dirname "$0")/agent.sh"
fleet
mkdir dev
serve public
settings 'now = yes'
next=0
publish_next() {
    next=$((next + 1))
    echo "echo $next" >main.py
    publish $next
}
publish_next
agent poll >/dev/null
agent confirm >/dev/null

# What they say themselves counts more than how they end.
publish_next
run 0 'a start command that waits for a confirm' agent poll \
    --start-command 'ota-agent -c agent.conf confirm' \
    --confirm-command 'echo judged >>judged; false'
says out "version $next is confirmed"
is version $next phase idle && [ ! -e judged ]
ok $? 'it is confirmed, and nobody judges it any more'
publish_next
run 0 'one that fails all the same' agent poll \
    --start-command 'ota-agent -c agent.conf confirm; false'
says err 'the start command failed: exit 1'
is version $next phase idle
ok $? 'is confirmed'
publish_next
run 0 'a confirm command that confirms' agent poll \
    --confirm-command 'ota-agent -c agent.conf confirm; false'
is version $next phase idle
ok $? 'is confirmed'
publish_next
run 11 'a start command that undoes' agent poll \
    --start-command '[ -e undone ] || { touch undone; ota-agent -c agent.conf undo; }'
is version $((next - 1)) phase idle failed $next reason 65
ok $? 'is undone'
publish_next
cat >judge.sh <<EOT
ota-agent -c agent.conf confirm
echo 'echo $((next + 1))' >main.py
sed 's/version: .*/version: $((next + 1))/' ota-pack.yml >new.yml
mv new.yml ota-pack.yml
ota-pack publish
ota-agent -c agent.conf poll
false
EOT
run 0 'the next version comes while the last one is judged' \
    agent poll --confirm-command '. ./judge.sh'
next=$((next + 1))
is version $next phase trial
ok $? 'it is not the one that failed'
agent confirm >/dev/null

# The stop command keeps the others out: what it stopped stays so.
publish_next
run 0 'a stop command that polls' agent poll \
    --stop-command 'ota-agent -c agent.conf poll; echo $? >busy'
[ "$(cat busy)" -eq 8 ] && is version $next phase trial chances 3
ok $? 'finds an agent at work'
agent confirm >/dev/null

# After a cut the machine starts the program when boot is done: nobody judges
# before that, and the next poll does.
publish_next
rm -f running
settings 'now = yes' 'start-command = touch running' \
    'confirm-command = : >judging; sleep 2; test -e running'
# shellcheck disable=SC2094 # the process that is killed is the agent itself
ota-agent -c agent.conf poll >/dev/null 2>&1 &
agent_pid=$!
waited=0
until [ -e judging ] || [ $waited -ge 100 ]; do
    sleep 0.05
    waited=$((waited + 1))
done
kill -9 $agent_pid
wait $agent_pid 2>/dev/null
rm -f running
run 0 'boot after a cut while it was judged' agent boot
is version $next phase trial chances 2
ok $? 'it is on trial all the same'
touch running
run 0 'the next poll judges it' agent poll
says out "version $next is confirmed"
is version $next phase idle
ok $? 'confirmed'

# Later polls give it all its chances.
publish_next
rm running
settings 'confirm-command = echo judged >>judged; test -e running'
agent poll >/dev/null
run 0 'boot' agent boot
[ ! -e judged ]
ok $? 'judges nobody'
for left in 2 1 0; do
    rule
    run 1 'a poll with a confirm command that fails' agent poll
    says err 'the confirm command failed: exit 1'
    is version $next phase trial chances $left && asked 1
    ok $? "costs a chance, and no more: $left left"
done
run 10 'without a chance left' agent poll
says err "version $next was not confirmed, and no chance is left: restart, or 'ota-agent boot', to go back"
cp -a dev last
touch running
run 0 'it may still come right' agent poll
says out "version $next is confirmed"
rm -rf dev running
cp -a last dev
run 11 'and if not it is undone with --now' agent poll --now
says err "version $next was undone: it was never confirmed; version $((next - 1)) is back"
[ "$(wc -l <judged)" -eq 6 ]
ok $? 'judged once a poll'
done_testing
