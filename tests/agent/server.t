#!/bin/sh
# Servers and what stands between: whatever they send, the old state is
# untouched, memory is bounded, and one line says what it was.
. "$(dirname "$0")/agent.sh"
fleet
head -c 20000 /dev/urandom | od -An -tx1 >lib/net.py
publish 1
mkdir dev
serve public
settings 'stall = 1' 'deadline = 20'
agent poll --now >/dev/null
agent confirm >/dev/null
agent poll
cp "public/devices/$device/manifest" public/devices/yesterday
old=$(od -An -v -tx1 -j128 -N32 public/devices/yesterday | tr -d ' \n')
echo "import gc" >main.py
head -c 300000 /dev/urandom | od -An -tx1 >lib/net.py
publish 2
kept >before
manifest=$url/devices/$device/manifest
payload=$(od -An -v -tx1 -j128 -N32 "public/devices/$device/manifest" | tr -d ' \n')
payload=$url/payloads/$(echo "$payload" | cut -c 1-2)/$payload

# limited COMMAND: with memory for what it needs and not much more.
limited() {
    (
        # shellcheck disable=SC3045  # the shells that there are have it
        ulimit -v 150000 2>/dev/null
        agent "$@"
    )
}
if ! limited status >/dev/null 2>&1; then
    echo '# SKIP bounded memory: this build needs more (a sanitizer)'
    limited() {
        agent "$@"
    }
fi

# bad STATUS SAYS RULE: a manifest that is no news.
bad() {
    rule "/devices/ $3"
    run "$1" "manifest: $3" limited poll --force
    says err "ota-agent: no news: $2"
    kept | cmp -s - before
    ok $? 'nothing was written'
}
unfetched="cannot fetch '$manifest':"
here="from '$manifest?v=1&p=idle'"
none='no Content-Type, no Content-Encoding'
bad 5 "'$manifest': the manifest is a web page (37 bytes, Content-Type 'text/html', no Content-Encoding, $here): a login or a maintenance page?" html
bad 5 "'$manifest': the manifest came empty (0 bytes, $none, $here): the next poll asks again" empty
bad 5 "'$manifest': the manifest was cut off (3 bytes, $none, $here): the next poll asks again" 'truncate 3'
bad 5 "'$manifest': the manifest was cut off (223 bytes, $none, $here)" 'truncate 223'
bad 9 "'$manifest': bytes follow the end (trailing)" endless
bad 9 "'$manifest': bytes follow the end (trailing)" append
whole=$(wc -c <"public/devices/$device/manifest")
bad 5 "'$manifest': the manifest was cut off (100 of $whole bytes, $none, $here)" 'cut 100'
bad 5 "$unfetched Operation too slow" slow
bad 5 "$unfetched Operation too slow" silent
bad 5 "$unfetched more headers than any server sends" 'headers 20000'
bad 5 "$unfetched " 'headers 1000000'
bad 5 "$unfetched " headers
bad 5 "'$manifest' answered 500" 'status 500'
bad 5 "'$manifest' answered 403" 'status 403'
bad 5 "'$manifest' answered 204" 'status 204'
bad 5 "$unfetched it answered with another range" 'status 206'
bad 5 "'$manifest' is not there" 'status 404'
bad 5 "'$manifest' is not there" 'status 410'
bad 5 "'$manifest' answered 302" 'status 302'
bad 5 "$unfetched it redirects to 'ftp://127.0.0.1/manifest': only http and https are followed" 'redirect ftp://127.0.0.1/manifest'
bad 5 "$unfetched it redirects to 'file:///" "redirect file://$work/public/devices/$device/manifest"
bad 5 "$unfetched more than 5 redirects, the last one to '$manifest'" "redirect /devices/$device/manifest"

# Refused for good: the ETag is kept, so that it is asked for only once.
rule '/devices/ file /devices/246f28000002/manifest'
run 9 "another device's manifest" agent poll --force
says err "ota-agent: no news: '$manifest': made for another device (device)"
run 0 'the same again' agent poll
grep -q '^304 ' a.log
ok $? 'is nothing new'

# Yesterday's manifest is that of the version that is installed.
rule '/devices/ file /devices/yesterday'
run 0 "yesterday's manifest" agent poll --force
rule
is version 1
ok $? 'nothing new'

# wrong STATUS SAYS RULE: a payload that is not what the manifest says.
cp -a dev clean
wrong() {
    rm -rf dev
    cp -a clean dev
    rule "/payloads/ $3"
    run "$1" "payload: $3" limited poll --force
    says err "ota-agent: $2"
    same dev clean && is version 1 failed 0
    ok $? 'old, and the version is not given up'
}
chunk='version 2: a chunk of the payload is damaged or not the right one (chunk)'
size=$(wc -c <"public/${payload#"$url"/}")
wrong 5 "'$payload': the payload is a web page (37 of $size bytes, Content-Type 'text/html', no Content-Encoding, from '$payload')" html
wrong 5 "'$payload': the payload came empty (0 of $size bytes" empty
wrong 5 "'$payload': the payload was cut off (3 of $size bytes" 'truncate 3'
wrong 9 "$chunk" "file /payloads/$(echo "$old" | cut -c 1-2)/$old"
wrong 5 "cannot fetch '$payload': Operation too slow" slow
wrong 5 "cannot fetch '$payload': Operation too slow" silent
wrong 5 "cannot fetch '$payload': out of memory, or more headers than any server sends" headers
wrong 5 "'$payload' answered 500" 'status 500'
wrong 5 'version 2 is announced, but its payload is not there: later' 'status 404'
wrong 5 'version 2 is announced, but its payload is not there: later' 'status 410'
wrong 5 "cannot fetch '$payload': it redirects to 'ftp://127.0.0.1/'" 'redirect ftp://127.0.0.1/'
rm -rf dev
cp -a clean dev

# What is harmless.
good() {
    rm -rf dev
    cp -a clean dev
    rule "/payloads/ $1"
    run 10 "payload: $1" limited poll --force
    rm -rf dev
    cp -a clean dev
    rule "/devices/ $1"
}
good endless
good append
good gzip
run 10 'manifest: gzip that is none' agent poll --force
good close
run 10 'manifest: without a length' agent poll --force
rm -rf dev
cp -a clean dev
mkdir public/moved
cp "public/devices/$device/manifest" public/moved/manifest
rule "/devices/ redirect $url/moved/manifest"
run 10 'one redirect' agent poll --force

# A login in the URL goes with a redirect to the same server, and to no other.
rm -rf dev
cp -a clean dev
rule "/devices/ redirect $url/moved/manifest"
agent poll --force --url "http://u:p@${url#http://}" >/dev/null 2>&1
grep -q '^200 /moved/manifest.* login$' a.log
ok $? 'a redirect on the same server keeps the login'
rm -rf dev
cp -a clean dev
here=$url
serve public b
rule "/devices/ redirect $url/moved/manifest"
agent poll --force --url "http://u:p@${here#http://}" >/dev/null 2>&1
grep -q '^200 /moved/manifest$' b.log && grep -q ' login$' a.log
ok $? 'another server does not get it'
url=$here

# Never to a lesser scheme.
if openssl version >/dev/null 2>&1 && openssl req -x509 -newkey rsa:2048 \
    -nodes -keyout tls.key -out tls.pem -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 >/dev/null 2>&1; then
    rm -rf dev
    cp -a clean dev
    mkdir -p tls/devices/$device
    printf 'HTTP/1.0 302 Found\r\nLocation: %s\r\n\r\n' \
        "$url/moved/manifest" >"tls/devices/$device/manifest?v=1&p=idle"
    (cd tls && exec openssl s_server -HTTP -accept 127.0.0.1:0 \
        -cert ../tls.pem -key ../tls.key) >tls.out 2>&1 &
    servers="$servers $!"
    waited=0
    until grep -q '^ACCEPT ' tls.out || [ $waited -ge 100 ]; do
        sleep 0.05
        waited=$((waited + 1))
    done
    secure=https://$(sed -n 's/^ACCEPT //p' tls.out)
    rule
    run 5 'https that redirects to http' \
        agent poll --force --url "$secure" --cacert tls.pem --time 0
    says err "cannot fetch '$secure/devices/$device/manifest': it redirects from https to '$url/moved/manifest'"
    asked 0
    ok $? 'is not followed'
    rule "/devices/ redirect $secure/devices/$device/manifest?v=1&p=idle"
    run 5 'http that redirects to https, and that to http' \
        agent poll --force --cacert tls.pem --time 0
    says err "cannot fetch '$manifest': it redirects from https to '$url/moved/manifest'"
    asked 1
    ok $? 'is not followed either'
    run 5 'https with a certificate that nobody vouches for' \
        agent poll --force --url "$secure"
    says err "cannot fetch '$secure/devices/$device/manifest': SSL"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem \
        -days 2 -subj /CN=other >/dev/null 2>&1
    if can_trace; then
        run 5 'one that --cacert does not vouch for' \
            strace -f -o opened -e trace=file ota-agent -c agent.conf \
            poll --force --url "$secure" --cacert other.pem
        grep -q 'other\.pem' opened && ! grep -q '/etc/ssl/certs/' opened
        ok $? "is not looked for among the system's"
    fi
else
    echo '# SKIP https: no openssl to serve it with'
fi

# The deadline is for all of it.
rm -rf dev
cp -a clean dev
rule '/payloads/ slow'
run 5 'a deadline' agent poll --force --deadline 1 --stall 60
says err "cannot fetch '$payload': Operation timed out"

# Back-off: after three failing polls in a row.
rule '/devices/ status 500'
rm -rf run
for _ in 1 2 3; do agent poll >/dev/null 2>&1; done
asked 3
ok $? 'three failing polls'
run 5 'the fourth' agent poll
says out 'the last polls failed: the next one in '
asked 3
ok $? 'is not made'
run 5 'quietly' agent poll -q
silent out
silent err
wait=$(($(cut -d ' ' -f 2 run/*) - $(cut -d . -f 1 /proc/uptime)))
[ $wait -ge 20 ] && [ $wait -le 60 ]
ok $? "for half a minute to a minute ($wait)"
for _ in 1 2 3 4 5 6 7 8 9; do agent poll --force >/dev/null 2>&1; done
wait=$(($(cut -d ' ' -f 2 run/*) - $(cut -d . -f 1 /proc/uptime)))
[ $wait -ge 1700 ] && [ $wait -le 3600 ]
ok $? "for half an hour to an hour at most ($wait)"
rule
run 10 'one that is forced, and works' agent poll --force
[ -z "$(ls run)" ]
ok $? 'ends it'
done_testing
