#!/bin/sh
# The agent is root's, the files are another user's: what the agent makes for
# that user, or takes out of its way, never turns .ota into a stranger's.
. "$(dirname "$0")/agent.sh"
if [ "$(id -u)" != 0 ] || ! strace -o /dev/null true 2>/dev/null; then
    echo '1..0 # SKIP not root, or strace is not there or may not trace'
    exit 0
fi
user=65534
# What names or owners are changed by; and what makes none of them any more.
calls='mkdirat fchown fchmod renameat unlinkat'

# next VERSION [LINE]...: publishes what is in src/, as a bundle too.
next() {
    {
        printf 'key: release.key\nserver: public/\nreleases:\n'
        printf '  - name: r\n    version: %s\n' "$1"
        printf '    files:\n      - {from: "src/**", to: ""}\n'
        printf '    devices: ["%s"]\n' "$identity"
        shift
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } >ota-pack.yml
    ota-pack publish >/dev/null && ota-pack build -o cards >/dev/null || exit 1
}
card() {
    echo "cards/$device/$1.otab"
}

# The first version has a folder of the user's, which the second one empties;
# and a file that becomes a folder, where the user makes more of them.
ota-pack keygen -W release >/dev/null 2>&1
mkdir -p src/lib/deep dev
echo 1 >src/main
echo 1 >src/app
echo 1 >src/lib/deep/a
url=http://127.0.0.1:9
settings
next 1 2>/dev/null
agent -q apply --now --confirm-command true "$(card 1)"
chown -R $user dev/lib
chmod 750 dev/lib/deep
before=$(files dev)
rm -r src/lib src/app
mkdir src/app
echo 2 >src/main
echo 2 >src/app/i
next 2 '    delete: [lib/deep/a]' 2>/dev/null
agent -q apply --now "$(card 2)"
mkdir -p dev/app/cache/x
echo x >dev/app/cache/x/x
chown -R $user dev/app
cp -a dev trial
agent -q confirm
cp -a dev confirmed
[ ! -e dev/lib ] && [ -e dev/app/cache ]
ok $? 'the folder that was emptied is gone, the other one is there'
agent -q undo 2>/dev/null
cp -a dev undone
[ -d dev/.ota/aside ] && [ "$(files dev)" = "$before" ]
ok $? 'undone, with something in the way'
next 3 2>/dev/null

# back: all old files are there after a boot, in the folders that they were in.
back() {
    agent boot >"$work/.out" 2>"$work/.err" || return 1
    [ "$(value version)" != 2 ] || agent undo >"$work/.out" 2>"$work/.err" ||
        return 1
    [ "$(files dev)" = "$before" ] &&
        [ "$(stat -c '%u %a' dev/lib/deep)" = "$user 750" ]
}

# taken: after a boot the third version can be installed.
taken() {
    agent boot >"$work/.out" 2>"$work/.err" || return 1
    agent apply --now "$(card 3)" >"$work/.out" 2>"$work/.err" &&
        [ -e dev/app/i ]
}

everywhere 'undo from a trial' back trial undo
everywhere 'undo' back confirmed undo
everywhere 'what stood in the way is removed' taken undone \
    apply "$(card 3)"

# Where a new file cannot be read, the disk being damaged there, all is old
# again all the same.
rm -rf dev
cp -a trial dev
strace -f -o /dev/null -P dev/main -e inject=pread64:error=EIO \
    ota-agent -c agent.conf undo >"$work/.out" 2>"$work/.err"
ok $? 'undo with a file that cannot be read'
says err "'main' was in the way of going back"
[ "$(files dev)" = "$before" ]
ok $? 'brings all back'

# What the user has mounted there cannot be removed.
rm -rf dev
cp -a trial dev
cat >mounted.sh <<'EOT'
mkdir dev/app/usb && mount -t tmpfs none dev/app/usb || exit 1
echo precious >dev/app/usb/data
ota-agent -c agent.conf -q undo 2>/dev/null
ota-agent -c agent.conf -q apply "$1"
[ $? -eq 10 ] && [ "$(find dev -name data -exec cat {} +)" = precious ]
EOT
if unshare -m mount -t tmpfs none dev 2>/dev/null; then
    run 0 'a mount in the way is left alone' unshare -m sh mounted.sh "$(card 3)"
    [ -n "$(find dev/.ota/aside -user $user)" ]
    ok $? 'with the folder that it is in'
    run 0 'the next boot' agent boot
    is version 3 phase trial
    ok $? 'installs the third version'
fi
done_testing
