#!/bin/sh
# Firmware slots made of two files.
. "$(dirname "$0")/agent.sh"
fleet
mkdir dev
firmware() { # VERSION BYTES
    head -c "$2" /dev/urandom >firmware.bin
    cp firmware.bin firmware.$1
    echo "version = $1" >main.py
    config "$1"
    sed -i 's|      - main.py|&\n      - {from: firmware.bin, slot: app}|' ota-pack.yml
    ota-pack publish >/dev/null 2>&1 || exit 1
}
firmware 1 70000
serve public
settings
run 9 'a device without that slot' agent poll
says err 'version 1: no such slot on this device, or it is too small (slot)'
settings 'slot = app=slot.a,slot.b'
printf 'factory' >slot.a
run 10 'one that has it' agent poll --force
[ "$(cat slot.a)" = factory ] && cmp -s firmware.1 slot.b && [ ! -e dev/.ota/slot.app ]
ok $? 'the slot that does not run is written'
run 10 'boot' agent boot
says out 'another firmware slot is active: restart needed'
[ "$(cat dev/.ota/slot.app)" = b ]
ok $? 'the new one is active'
run 0 'the next boot' agent boot
run 0 'confirm' agent confirm

firmware 2 60000
run 10 'the next version' agent poll --force
cmp -s firmware.2 slot.a && cmp -s firmware.1 slot.b
ok $? 'goes into the other slot'
run 10 'boot' agent boot
[ "$(cat dev/.ota/slot.app) $(cat dev/main.py)" = 'a version = 2' ]
ok $? 'slot and files'
echo b >dev/.ota/slot.app # the bootloader
run 12 'confirm what does not run' agent confirm
says err "version 2 cannot be confirmed: its firmware slot does not run, or the journal is damaged: 'ota-agent boot' comes next (state)"
run 0 'the bootloader rolls back' agent boot
says err 'version 2 was undone: the bootloader rolled the slot back; version 1 is back'
[ "$(cat dev/.ota/slot.app) $(cat dev/main.py)" = 'b version = 1' ] &&
    is version 1 reason 66
ok $? 'the files follow'

firmware 3 60000
agent poll --force >/dev/null
agent boot >/dev/null
for _ in 1 2 3; do agent boot >/dev/null; done
run 10 'a version that is never confirmed' agent boot
says err 'version 3 was undone: it was never confirmed; version 1 is back'
[ "$(cat dev/.ota/slot.app) $(cat dev/main.py)" = 'b version = 1' ]
ok $? 'slot and files are back'
run 0 'and stay' agent boot

firmware 4 60000
agent poll --force --now >/dev/null
for _ in 1 2 3; do agent poll >/dev/null 2>&1; done
run 10 'no chance left, and --now' agent poll --now --stop-command 'echo stop >>steps'
[ "$(cat steps) $(cat dev/.ota/slot.app)" = 'stop b' ] &&
    [ "$(grep -c 'restart needed' "$work/.out")" -eq 1 ]
ok $? 'it is stopped, undone, and said once'
run 0 'the restart' agent boot

firmware 5 80000
rule '/payloads/ cut-once 50000'
agent poll --force >/dev/null 2>&1
is phase staging
ok $? 'cut while the slot is written'
rule
run 10 'the next poll' agent poll --force
cmp -s firmware.5 slot.a
ok $? 'the slot is whole'
agent boot >/dev/null
run 10 'undo by hand' agent undo
[ "$(cat dev/.ota/slot.app) $(cat dev/main.py)" = 'b version = 1' ]
ok $? 'slot and files are back'

# Without --slot nothing is begun that could not be ended.
forgot() { # COMMAND PHASE
    cp -a dev before
    run 2 "$1 without --slot" agent -c forgot.conf "$1"
    says err "ota-agent: a firmware slot belongs to it: say '--slot NAME=A,B', as in the configuration that it was staged with (slot)"
    same dev before && is phase "$2"
    ok $? "it is still $2"
    rm -rf before
}
grep -v '^slot' agent.conf >forgot.conf
firmware 6 80000
agent poll --force >/dev/null
forgot boot ready
agent boot >/dev/null
agent boot >/dev/null
for command in boot confirm undo; do
    forgot $command trial
done
agent confirm >/dev/null
forgot undo idle
run 10 'undo with it' agent undo
[ "$(cat dev/.ota/slot.app) $(cat dev/main.py)" = 'b version = 1' ]
ok $? 'slot and files are back'

# Which one runs cannot be told: neither is taken for the other.
if can_trace; then
    cp slot.b running
    firmware 7 70000
    # the first look at it is for its owner
    for call in '/^(new)?fstatat(64)?$:error=EIO:when=2+' \
        '/^pread64$:error=EIO'; do
        run 1 "${call%%:*} of the pointer fails" \
            strace -f -o /dev/null -P "$work/dev/.ota/slot.app" -P slot.app \
            -e inject=$call ota-agent -c agent.conf poll --force
        says err 'reading or writing failed: Input/output error'
        cmp -s running slot.b
        ok $? 'what runs is not written'
    done
    agent poll --force >/dev/null 2>&1
    agent boot >/dev/null
    agent undo >/dev/null 2>&1
fi

firmware 8 80000
settings 'slot = app=/dev/full,slot.b'
run 9 'a slot that is too small' agent poll --force
says err 'version 8: no such slot on this device, or it is too small (slot)'
[ "$(cat dev/main.py)" = 'version = 1' ]
ok $? 'old'
done_testing
