#!/bin/sh
# Modes of what is published into a folder: they come from the folder, whatever
# the umask.
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
config auto

# modes MODE...: of the folder's own, of all folders, of all files, each once.
modes() {
    shown=$(
        stat -c %a public
        find public -mindepth 1 -type d -printf '%m\n' | sort -u
        find public -type f -printf '%m\n' | sort -u
    )
    [ "$(echo "$shown" | tr '\n' ' ')" = "$* " ]
    ok $? "folder, folders, files: $*"
    [ "$(echo "$shown" | tr '\n' ' ')" = "$* " ] || echo "# $shown"
}

# publish MASK: under that umask, into a folder that may be there.
publish() {
    run 0 "publish under umask $1" \
        sh -c "umask $1; printf '# more\n' >>main.py; exec ota-pack -q publish"
}

# base MODE: a new folder.
base() {
    rm -rf public
    forget
    mkdir public
    chmod "$1" public
}

for mask in 022 077 027; do
    rm -rf public
    forget
    publish "$mask"
    modes 755 755 644
done
rm -rf public
forget
publish 002
modes 775 775 664

base 755
publish 022
publish 077
publish 002
modes 755 755 644
base 750
publish 022
modes 750 750 640
base 700
publish 022
modes 700 700 600
base 711
publish 077
modes 711 711 644
base 2775
publish 077
publish 022
modes 2775 2775 664

# A group that is not the publisher's first.
other=$(id -G | tr ' ' '\n' | grep -vx "$(id -g)" | head -n 1)
[ "$(id -u)" -ne 0 ] || other=12345
if [ -n "$other" ]; then
    base 770
    chgrp "$other" public
    publish 022
    modes 770 770 660
    [ -z "$(find public ! -group "$other")" ]
    ok $? 'all is of the group of the folder'
fi

# doctor looks at them, and leaves them as they are.
base 755
publish 022
run 0 'all is well' ota-pack doctor
grep -q '^modes' .out
[ $? -eq 1 ]
ok $? 'and not spoken of'
chmod 600 public/devices/246f28000001/manifest
chmod 700 public/payloads
run 0 'doctor' ota-pack doctor
says out 'modes       warning'
says out 'others cannot read 2 of what is there, as '
says out "chmod -R o+rX"
[ "$(stat -c %a public/devices/246f28000001/manifest)" = 600 ]
ok $? 'it repairs nothing'
chmod 2775 public
run 0 'doctor' ota-pack doctor
says out 'its group cannot write to '
says out 'chmod -R g+rwX'
chmod 0700 public
chmod g-s public
run 0 'doctor' ota-pack doctor
says out "only its owner can read 'public'"
[ "$(stat -c %a public)" = 700 ]
ok $? 'it repairs nothing'

done_testing
