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
done_testing
