#!/bin/sh
# The servers of README.md as it prints them, but for names, ports and folders:
# each is started, published to and polled.
. "$(dirname "$0")/servers.sh"
. "$top/tests/cli/blocks.sh"
blocks
fleet
unset SOURCE_DATE_EPOCH
new=$work/new
mkdir "$new"
certificate
login
openssl passwd -apr1 secret123 | sed 's/^/pub:/' >ota.htpasswd
[ "$(id -u)" -ne 0 ] || {
    chmod 755 "$work"
    chown www-data "$www" "$new" "$work/spool"
}

# polled NAME URL: a device of the fleet has it from there.
polled() {
    rm -rf dev run
    mkdir dev
    run 10 "$1: a device polls" ota-agent poll --root dev --url "$2" \
        --key release.pub --device 24:6f:28:00:00:01 --run-dir run
    run 0 'and installs' ota-agent boot --root dev
    cmp -s dev/main.py main.py
    ok $? 'what was published'
}

# published NAME: into $server, twice.
published() {
    forget
    for version in 1 2; do
        echo "import net # $1 $version" >main.py
        config $version
        run 0 "$1: publish" ota-pack publish
    done
    run 0 "$1: verify --server" ota-pack verify --server
}

empty() {
    find "$www" -mindepth 1 -delete
    rm -rf public
}

# nginx_block TEXT: the block of README.md that has it, in nginx.conf.
nginx_block() {
    port=$(free_port)
    ports=$(free_port)
    {
        [ "$(id -u)" -ne 0 ] || echo 'user www-data;'
        cat <<EOT
pid $work/nginx.pid; error_log $logs/nginx.err; events { }
http {
    access_log off; types { } default_type application/octet-stream;
    client_body_temp_path $work/spool/b; proxy_temp_path $work/spool/p;
    fastcgi_temp_path $work/spool/f; uwsgi_temp_path $work/spool/u;
    scgi_temp_path $work/spool/s;
EOT
        block "$1" | sed "s|listen 80;|listen 127.0.0.1:$port;|
            s|listen 443 ssl;|listen 127.0.0.1:$ports ssl;|
            s|/srv/ota-new;|$new;|; s|/srv/ota;|$www;|
            s|/etc/ssl/ota\\.pem|$work/srv.pem|
            s|/etc/ssl/ota\\.key|$work/srv.key|
            s|/etc/nginx/ota.htpasswd|$work/ota.htpasswd|"
        echo '}'
    } >nginx.conf
    run 0 "nginx -t: $1" nginx -t -e "$logs/nginx.err" -c "$work/nginx.conf"
    launch nginx -e "$logs/nginx.err" -c "$work/nginx.conf"
}

if command -v nginx >/dev/null; then
    nginx_block 'return 404'
    empty
    server=public/
    published 'a folder'
    cp -R public/. "$www/"
    polled 'nginx, a copied folder' "http://127.0.0.1:$port"
    stop_servers
    sleep 0.2

    nginx_block 'dav_methods'
    empty
    server="{url: 'https://127.0.0.1:$ports/', ca: srv.pem}"
    published 'nginx, WebDAV'
    polled 'nginx, WebDAV' "http://127.0.0.1:$port"
    run 22 'nobody writes without the password' curl -sf -T main.py \
        "http://127.0.0.1:$port/devices/246f28000001/manifest"
    stop_servers
else
    echo '# nginx is not there'
fi

if command -v apache2 >/dev/null; then
    port=$(free_port)
    {
        for m in mpm_event authz_core authz_user authn_core authn_file \
            auth_basic dav dav_fs; do
            echo "LoadModule ${m}_module /usr/lib/apache2/modules/mod_$m.so"
        done
        cat <<EOT
ServerName localhost
PidFile $work/apache.pid
DefaultRuntimeDir $work
ErrorLog $logs/apache.err
Listen 127.0.0.1:$port
$([ "$(id -u)" -ne 0 ] || printf 'User www-data\nGroup www-data\n')
DocumentRoot $www
EOT
        block '^DavLockDB' | sed "s|/var/lock/apache2/|$work/spool/|
            s|/srv/ota|$www|; s|/etc/apache2/ota.htpasswd|$work/ota.htpasswd|"
    } >apache.conf
    run 0 'apache2 -t' apache2 -t -f "$work/apache.conf"
    launch apache2 -f "$work/apache.conf" -k start
    empty
    server=http://127.0.0.1:$port/
    published Apache
    polled Apache "http://127.0.0.1:$port"
    run 22 'nobody writes without the password' curl -sf -T main.py \
        "http://127.0.0.1:$port/devices/246f28000001/manifest"
    stop_servers
else
    echo '# Apache is not there'
fi

if command -v lighttpd >/dev/null &&
    [ -e /usr/lib/lighttpd/mod_webdav.so ]; then
    port=$(free_port)
    {
        cat <<EOT
server.port = $port
server.bind = "127.0.0.1"
server.document-root = "$www"
server.pid-file = "$work/lighttpd.pid"
server.errorlog = "$logs/lighttpd.err"
server.upload-dirs = ("$work/spool")
EOT
        block '^webdav.activate' |
            sed "s|/etc/lighttpd/ota.htpasswd|$work/ota.htpasswd|"
    } >lighttpd.conf
    run 0 'lighttpd -tt' lighttpd -tt -f "$work/lighttpd.conf"
    launch lighttpd -f "$work/lighttpd.conf"
    empty
    server=http://127.0.0.1:$port/
    published lighttpd
    polled lighttpd "http://127.0.0.1:$port"
    run 22 'nobody writes without the password' curl -sf -T main.py \
        "http://127.0.0.1:$port/devices/246f28000001/manifest"
    stop_servers
else
    echo '# lighttpd is not there'
fi

if command -v caddy >/dev/null; then
    port=$(free_port)
    {
        printf '{\nadmin off\nauto_https off\n}\n'
        block 'file_server' | sed "s|^ota.example.org|http://127.0.0.1:$port|
            s|/srv/ota|$www|"
    } >Caddyfile
    run 0 'caddy validate' env HOME="$work" caddy validate \
        --adapter caddyfile --config Caddyfile
    empty
    server=public/
    published 'a folder for Caddy'
    cp -R public/. "$www/"
    export HOME="$work"
    launch background "$(command -v caddy)" run --adapter caddyfile \
        --config Caddyfile
    polled Caddy "http://127.0.0.1:$port"
    stop_servers
else
    echo '# Caddy is not there'
fi

# Its folders have to be root's up to the top: what sshd makes of it is looked
# at, and nobody logs in.
if command -v sshd >/dev/null; then
    ssh_keys
    mkdir -p /run/sshd 2>/dev/null
    {
        echo "HostKey $work/hostkey"
        block '^Match User deploy'
    } >sshd_config
    run 0 'sshd takes it' "$(command -v sshd)" -T -f "$work/sshd_config" \
        -C user=deploy,host=localhost,addr=127.0.0.1
    says out 'forcecommand internal-sftp'
    says out 'chrootdirectory /srv/www'
    says out 'passwordauthentication no'
    says out 'allowtcpforwarding no'
else
    echo '# sshd is not there'
fi
done_testing
