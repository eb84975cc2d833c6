#!/bin/sh
# What the program does with its own folder: nothing of it keeps an undo or a
# reset from their end, and none of it leads the agent out of the root.
. "$(dirname "$0")/agent.sh"
fleet
mkdir s
url=http://127.0.0.1:1
settings

# release VERSION: all below s/ as it is now, into cards/.
release() {
    cat >ota-pack.yml <<EOT
key: release.key
server: public/
releases:
  - name: field
    version: $1
    files:
      - {from: "s/**", to: ""}
    devices: ["$identity"]
EOT
    ota-pack publish -q && ota-pack build -q -o cards
}

# staged VERSION: fetched from its card; on_trial: and installed.
staged() {
    release "$1" && agent -q apply "cards/$device/$1.otab"
}
on_trial() {
    staged "$1"
    agent -q boot
}
fresh() {
    rm -rf dev s public cards .ota-pack.state
    mkdir dev s s/lib
    forget
    echo old >s/app
    echo 1 >s/lib/a
    echo m1 >s/main
    on_trial 1
    agent -q confirm
}

# A script becomes a package, and Python leaves its own there.
fresh
rm s/app
mkdir s/app
echo new >s/app/__init__.py
echo m2 >s/main
on_trial 2
mkdir dev/app/__pycache__
echo compiled >dev/app/__pycache__/x.pyc
run 0 'an undo with a folder in the way' agent undo
says err "'app' was in the way of going back: it is kept as '$work/dev/.ota/aside/00/00/"
[ "$(cat dev/app dev/main)" = 'old
m1' ] && [ "$(cat dev/.ota/aside/00/00/*/__pycache__/x.pyc)" = compiled ]
ok $? 'all is old, and nothing is lost'
run 0 'a reset ends' agent reset -f
rm -r s/app
echo m3 >s/main
staged 3
[ ! -e dev/.ota/aside ]
ok $? 'the next update takes what was kept aside'

# Folder, link, FIFO, socket: at a target and above it.
for what in 'mkdir lib/a && echo mine >lib/a/mine' 'ln -s ../main lib/a' \
    'mkfifo lib/a' 'rm -r lib; ln -s store lib; mkdir store; echo mine >store/a' \
    'rm -r lib; mkfifo lib' 'rm -r lib; echo mine >lib' 'rm -r lib' \
    'echo mine >lib/a'; do
    fresh
    echo 2 >s/lib/a
    echo m2 >s/main
    on_trial 2
    (cd dev && rm lib/a && eval "$what")
    for _ in 1 2 3 4; do
        timeout 20 ota-agent -c agent.conf -q boot 2>/dev/null
    done
    is phase idle version 1 failed 2 && [ ! -L dev/lib ] &&
        [ "$(cat dev/lib/a dev/main)" = '1
m1' ]
    ok $? "$what: all is old"
    case $what in
    *mine*)
        grep -rq mine dev
        ok $? 'and what is the program'"'"'s is there'
        ;;
    esac
done

# The same between staging and boot: nothing is begun.
for what in 'mkdir lib/a' 'ln -s ../main lib/a' 'mkfifo lib/a' \
    'rmdir lib; ln -s . lib'; do
    fresh
    echo 2 >s/lib/a
    echo m2 >s/main
    staged 2
    (cd dev && rm lib/a && eval "$what")
    run 0 "staged, then $what" timeout 20 ota-agent -c agent.conf boot
    says err "is in the way; once it is gone, a poll takes the version again"
    is phase idle version 1 failed 0 && [ "$(cat dev/main)" = m1 ]
    ok $? 'all is as it was'
    (cd dev && rm -rf lib && mkdir lib && echo 1 >lib/a)
    run 10 'without it' agent apply "cards/$device/2.otab"
    run 0 'it is installed' agent boot
    is phase trial version 2
    ok $? 'and on trial'
done

# What cannot be changed is not the version's fault.
if chattr +i . 2>/dev/null; then
    chattr -i .
    fresh
    echo 2 >s/lib/a
    echo m2 >s/main
    staged 2
    chattr +i dev/lib/a
    run 0 'a file that cannot be changed' agent boot
    says err "what was staged is not installed: Operation not permitted at '.ota/old/"
    is phase idle version 1 failed 0 && [ "$(cat dev/main)" = m1 ]
    ok $? 'all is as it was'
    chattr -i dev/lib/a
    run 10 'when it can' agent apply "cards/$device/2.otab"
    run 0 'it is installed' agent boot
    is phase trial version 2
    ok $? 'and on trial'
fi

# A folder comes back as it was.
fresh
mkdir s/priv
echo 1 >s/priv/key
on_trial 2
agent -q confirm
chmod 2750 dev/priv
rm -r s/priv
on_trial 3
agent -q confirm
[ ! -e dev/priv ] && agent -q undo 2>/dev/null
[ "$(stat -c %a dev/priv)" = 2750 ] && [ "$(cat dev/priv/key)" = 1 ]
ok $? 'a folder comes back with its mode'

# Names in another case.
fresh
mv s/main s/Main
mkdir s/Lib
mv s/lib/a s/Lib/A
rmdir s/lib
on_trial 2
agent -q confirm
[ "$(cd dev && find . -path ./.ota -prune -o -type f -print | sort)" = './Lib/A
./Main
./app' ]
ok $? 'a name in another case takes the place of the old one'
agent -q undo 2>/dev/null
[ "$(cd dev && find . -path ./.ota -prune -o -type f -print | sort)" = './app
./lib/a
./main' ]
ok $? 'and goes when it is undone'

# Whose .ota it is.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    other() {
        setpriv --reuid=65534 --clear-groups "$@"
    }
    chmod 755 "$work"
    fresh
    (cd dev && other flock -s . sleep 5) &
    holder=$!
    sleep 0.2
    run 0 'another user who locks the root keeps nobody out' agent boot
    kill $holder 2>/dev/null
    other flock -s dev/.ota true 2>/dev/null
    [ $? -ne 0 ]
    ok $? 'and does not get at .ota'
    for part in .ota .ota/state0 .ota/journal .ota/new/00; do
        chown 65534 "dev/$part"
        run 1 "$part of another user" agent boot
        says err "'$work/dev/$part' belongs to user 65534, and ota-agent runs as user 0: run it as the same user each time"
        run 1 'nor is the status told' agent status
        chown 0 "dev/$part"
    done
    run 0 'and of ours' agent boot
    mv dev/.ota dev/elsewhere
    ln -s elsewhere dev/.ota
    run 1 'a link for it' agent boot
    says err "'$work/dev/.ota' is a link or a file"
fi
done_testing
