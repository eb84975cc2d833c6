#!/bin/sh
# What must never be published: keys in every wrapping, files that a pattern
# does not mean, links that lead out, a key in the web server's folder.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
ota-pack keygen -W release >/dev/null 2>&1 || exit 1
ota-pack keygen -W other >/dev/null 2>&1 || exit 1
mkdir app
echo 'print(1)' >app/main.py
line=$(sed -n 2p release.key)

# config [LINE]...: with lines of the release.
config() {
    {
        cat <<EOT
key: ${key:-release.key}
server: ${server:-public/}
releases:
  - name: r
    version: auto
    files: ["app/**"]
    devices: ["24:6f:28:aa:bb:01"]
EOT
        [ $# -eq 0 ] || printf '    %s\n' "$@"
    } >ota-pack.yml
}

# refused WHAT [TEXT]: app/k is not packed.
refused() {
    run 3 "$1" ota-pack check
    says err "${2:-holds a secret signing key}"
    rm -f app/k
}


config
cp release.key app/k
refused "a copy of the key"
{ cat release.key && echo; } >app/k
refused "with an empty line at the end"
sed 's/$/\r/' release.key >app/k
refused "with CRLF"
{ printf '\357\273\277' && cat release.key; } >app/k
refused "with a byte order mark"
echo "$line" >app/k
refused "the line alone"
printf 'A=1\nOTA_PACK_KEY="%s"\n' "$line" >app/k
refused "in a .env" "'app/k:2' holds"
printf '{"key": "untrusted comment: x\\n%s\\n"}' "$line" >app/k
refused "in JSON"
echo "$line" | fold -w 20 | sed 's/^/    /' >app/k
refused "wrapped and indented"
echo "$line" | fold -w 5 >app/k
refused "wrapped at 5"
echo "$line" | fold -w 60 | sed 's/.*/"&"/' >app/k
refused "as strings of a program"
base64 -w 0 release.key >app/k
refused "in base64 once more"
base64 -w 76 release.key >app/k
refused "in base64 once more, wrapped"
{ printf 'data:\n  k: ' && base64 -w 0 release.key; } >app/k
refused "in a manifest of Kubernetes"
echo "$line" | tr '+/' '-_' | tr -d = >app/k
refused "in the other alphabet, without padding"
echo "$line" | base64 -d >app/k
refused "raw bytes"
tar -cf app/k release.key
refused "in an archive"
sed 's/./&\x00/g' release.key >app/k
refused "in UTF-16"
{ head -c 300000 /dev/urandom && echo "$line" | base64 -d &&
    head -c 99999 /dev/urandom; } >app/k
refused "raw in a large file"
{ head -c 65500 /dev/zero && cat release.key; } >app/k
refused "across two reads"
cp other.key app/k
refused "another key without a password"
{ printf EdScB2 && head -c 152 /dev/urandom; } | base64 -w 0 >locked.key
cp locked.key app/k
refused "a key with a password"
ln release.key app/k
refused "by a hard link"

for type in '' 'ENCRYPTED ' 'RSA ' 'EC ' 'OPENSSH '; do
    printf -- '-----BEGIN %sPRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n' \
        "$type" >app/k
    refused "PEM: ${type}PRIVATE KEY" "'app/k:1' holds a private key"
done
printf 'PuTTY-User-Key-File-3: ssh-ed25519\n' >app/k
refused "a key of PuTTY's" "holds a private key"
printf 'machine h.example\n  login me\n  password x\n' >app/k
refused "a netrc" "holds a password"

# What is none.
printf 'if "-----BEGIN RSA PRIVATE KEY-----" in s: pass\n' >app/a.py
printf 'the machine has no password here\nRWRTY0Iy is how keys begin\n' >app/b
cp release.pub app/release.pub
head -c 2000000 /dev/urandom >app/random
head -c 200000 /dev/urandom | base64 >app/base64
run 0 "markers, prose, a public key and noise are no secrets" ota-pack check
rm -f app/a.py app/b app/random app/base64 app/release.pub

key=env:OTA_T_KEY
config
cp release.key app/k
OTA_T_KEY=$(cat release.key)
export OTA_T_KEY
refused "with the key in a variable"
key=release.pub
config "allow-secrets: [app/k]"
sed -i '1a sign_command: [sign]' ota-pack.yml
cp release.key app/k
refused "with a sign_command, and allowed"
key=release.key
config "allow-secrets: [app/k]"
cp release.key app/k
refused "the key that signs is never allowed"
cp locked.key app/k
refused "nor is one with a password, which may be it"
cp other.key app/k
run 0 "another one is" ota-pack check
printf 'machine h.example login me password x\n' >app/k
run 0 "a password is" ota-pack check
rm app/k

# ---- what a pattern does not mean
config
mkdir -p app/.ssh app/.config app/__pycache__ app/CVS
for f in .env .netrc .ssh/id .config/x main.py~ main.py.orig main.py.rej \
    '#main.py#' main.swp Thumbs.db desktop.ini __pycache__/x m.py.bak x.tmp \
    main.swn CVS/Entries thumbs.db Desktop.ini ehthumbs.db x.ORIG nohup.out \
    main.py.LOCAL.123.py; do
    echo x >"app/$f"
done
run 0 "hidden files and leavings are passed over" ota-pack check
says out "1 device, 1 file"
config "x-a: 1"
sed -i 's|\["app/\*\*"\]|["app/.config/**", app/.env]|' ota-pack.yml
run 0 "a pattern with a dot and a plain path take them" ota-pack check
says out "1 device, 2 files"
config
sed -i 's|\["app/\*\*"\]|[app/x.tmp, app/CVS/Entries]|' ota-pack.yml
run 0 "so do plain paths to leavings" ota-pack check
says out "1 device, 2 files"
rm -rf app/.[a-z]* app/*~ app/*.* app/__pycache__ 'app/#main.py#' app/CVS
echo 'print(1)' >app/main.py

# ---- links
mkdir -p ../out.$$
trap 'rm -rf "$work" "${work%/*}/out.$$"' EXIT
echo x >../out.$$/s
config
for target in "../../out.$$/s" "$(dirname "$work")/out.$$/s" /etc/hostname; do
    ln -sf "$target" app/k
    refused "a link to $target" "'app/k' is a link to '$target'"
done
ln -s "../../out.$$" app/dir
sed -i 's|"app/\*\*"|app/dir/s|' ota-pack.yml
run 3 "through a folder" ota-pack check
says err "'app/dir' is a link to '../../out.$$'"
says err "add 'app/dir' to 'follow'"
config
run 3 "a link to a folder, with a pattern" ota-pack check
says err "'app/dir' is a link to '../../out.$$', out of the folder"
says err "put the folder itself there, or add 'app/dir' to 'follow'"
for name in app/dir 'app/dir/**'; do
    config "exclude: [\"$name\"]"
    run 0 "which is excluded: $name" ota-pack check
done
for follow in '[app/dir]' '["app/*"]' '["app/dir/**"]' true; do
    config "follow: $follow"
    [ "$follow" != '["app/dir/**"]' ] ||
        sed -i 's|"app/\*\*"|"app/*.py", app/dir/s|' ota-pack.yml
    run 0 "which is followed: $follow" ota-pack check
    says out "1 device, 2 files"
done
config "follow: [app/dir]"
ln -s /etc/hostname ../out.$$/t
run 3 "a link behind that" ota-pack check
says err "'app/dir/t' is a link to '/etc/hostname'"
rm ../out.$$/t
ln -s ../out.$$ ../out.$$/up
ln -s .. ../out.$$/around
run 3 "a link round in a circle" ota-pack check
says err "'app/dir/around' is a link to"
config "follow: true"
run 3 "also where all are followed" ota-pack check
says err "a folder that it lies in itself: put"
rm ../out.$$/up ../out.$$/around
ln -s sub app/in
mkdir app/sub
run 0 "one within the folder is passed over" ota-pack check
rm app/in app/dir
rmdir app/sub
config "follow: [app/k]"
ln -s "../../out.$$/s" app/k
run 0 "a link that is followed" ota-pack check
config "follow: true"
run 0 "all links are followed" ota-pack check
config
ln -sf main.py app/k
run 0 "a link within the folder" ota-pack check
ln -sf nowhere.py app/k
run 4 "a link to nothing" ota-pack check
says err "'app/k' is a link to 'nowhere.py', which is not there"
rm app/k
sed -i "s|\"app/\*\*\"|{from: ../out.$$/s, to: s}|" ota-pack.yml
run 0 "a path outside that is written in full" ota-pack check

# ---- warnings
config
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n' >app/k
run 0 "a pointer of Git LFS" ota-pack check
says err "Git LFS"
printf 'a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\n' >app/k
run 0 "a conflict" ota-pack check
says err "marks of a conflict"
printf 'main.py' >app/k
run 0 "a link as a text" ota-pack check
says err "nothing but the name 'main.py'"
rm app/k

# ---- the server's folder
for server in . ./ ../"${work##*/}" "$work"; do
    config
    run 3 "server: $server" ota-pack publish
    says err "which anybody can read"
done
ln -s . loop
server=loop/
config
run 3 "server: a link to here" ota-pack publish
says err "'release.key' lies in 'loop/'"

for server in ./app/sub/.. app/x/y/../.. app/./x/../ app//x/..// \
    x/../app x/../../"${work##*/}"/app "$work/x/../app" public/../; do
    config
    run 3 "server: $server, of which a part is not there" ota-pack publish
    says err "which anybody can read"
done
[ ! -e app/index ] && [ ! -e index ]
ok $? "nothing is published there"
for server in app/../pub app/x/../../pub x/../pub; do
    config
    run 0 "server: $server" ota-pack check
done
server=public/
config
run 0 "a folder of its own" ota-pack publish
grep -q "^published: 1 manifest, 1 new payload of .* B, to 'public'\$" .out
ok $? "which is named"
mv release.key ota-pack.yml public/
sed -i -e 's|^server:.*|server: .|' -e 's|"app/|"../app/|' \
    public/ota-pack.yml
for verb in "rollback r --to 1" prune "withdraw 24:6f:28:aa:bb:01"; do
    # shellcheck disable=SC2086 # words
    run 3 "$verb, with the key in there" ota-pack -c public/ota-pack.yml $verb
    says err "the secret key 'release.key' lies in '.', which anybody can read"
done
run 5 "doctor, with the key in there" ota-pack -c public/ota-pack.yml doctor
says out "private     error   the secret key 'release.key' lies in '.', which"
mv public/release.key public/ota-pack.yml .
rm -rf public
forget

# ---- a server that is none
# shellcheck disable=SC2088 # that is what is refused
for server in 'deploy@host:/srv/ota' host:path ota.example.org \
    ota.example.org/x/ https:/x http//x s3:bucket '~/ota' file:///srv/x \
    'C:/ota' '\\host\share' ' public/' 'public/ ' '"public/"' \
    gopher://x HTTPS://x //host/x localhost:8080 user@host; do
    key=release.key
    config
    sed -i '2d' ota-pack.yml
    printf "server: '%s'\n" "$server" >>ota-pack.yml
    run 3 "server: '$server'" ota-pack publish
done
server='deploy@host:/srv/ota'
config
run 3 "as scp writes it" ota-pack publish
says err "write 'sftp://deploy@host/srv/ota'"
server=sftp://me:hunter2@host/x
config
run 3 "a password in a URL" ota-pack check
says err "ota-pack.yml:2:9: error: leave the password out of the URL"
! grep -q hunter2 .err
ok $? "which is not shown"
for server in public/ out ./ota.example.org ../"${work##*/}"/pub "$work/pub" \
    out/v1.2; do
    config
    run 0 "server: $server" ota-pack check
done

# ---- a key from CI
server=public/ key=env:K
config
first=$(sed -n 1p release.key)
while IFS= read -r form; do
    K=$(printf '%b' "$form")
    export K
    run 0 "key: $(echo "$form" | cut -c1-20 | tr -cd 'a-z ')" ota-pack check
    silent err
done <<EOT
$first\\n$line\\n
$first\\r\\n$line\\r\\n
$first\\\\n$line\\\\n
$first $line
"$line"
'$line'
\\n\\n$line
$(base64 -w 0 release.key)
$(echo "$line" | fold -w 70 | sed 's/$/\\n/' | tr -d '\n')
EOT
K=$(echo "$line" | cut -c1-100)
run 6 "a key that is cut" ota-pack check
says err "is cut: 100 of the 212 characters"
K=x
run 6 "a key that is none" ota-pack check
unset K
run 0 "no key" ota-pack check
says err "the variable 'K' is not set"
done_testing
