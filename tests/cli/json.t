#!/bin/sh
# ota-pack-json(5): every member that a line has stands there under its type,
# no other does, and each line says the number of the schema.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
page=$top/man/ota-pack-json.5
fleet

# said COMMAND...: its lines are added to `lines`.
said() {
    "$@" --json >>lines 2>/dev/null </dev/null
}
mkdir new
said ota-pack keygen -W other
said ota-pack init -W -c new/ota-pack.yml
config 1
said ota-pack plan
said ota-pack build -o out
said ota-pack publish
echo 'def more(): pass' >lib/more.py
rm lib/sensor.py
config 2
sed -i '/name: south/d' ota-pack.yml
for verb in plan publish status doctor check 'verify --server' \
    'verify --server --repair' 'rollback greenhouse --to 1' plan \
    'withdraw 246f28000002' status prune; do
    # shellcheck disable=SC2086  # words
    said ota-pack $verb
done
said ota-pack show -k release.pub public/devices/246f28000001
said ota-pack show -k release.pub out/246f28000001/1.otab
said ota-pack show -k other.pub out/246f28000001/1.otab
said ota-pack verify -k release.pub out/246f28000001/1.otab
said ota-pack verify -k other.pub out/246f28000001/1.otab
said ota-pack unpack -k release.pub -C files out/246f28000001/1.otab
for version in 3 4 5 6; do
    echo "# $version" >main.py
    config $version
    said ota-pack publish
done
now=$(date +%s)
SOURCE_DATE_EPOCH=$((now + 86400 * 90)) said ota-pack prune
config 7 'servers: [a/, b/]'
sed -i '/^server:/d' ota-pack.yml
said ota-pack publish
echo 'mistake: here' >>ota-pack.yml
said ota-pack check
"$BUILD/ota-agent" status --json --root files >agent 2>/dev/null
cat agent >>lines

cat >compare.pl <<'EOT'
use strict;
use JSON::PP;
my (%page, @types, $flat);
open my $in, '<', shift or die;
while (<$in>) {
    if (/^\.Ss (.*)/) {
        (my $heading = $1) =~ s/ \(.*//;
        @types = split /, /, $heading;
    }
    if (/^\.It Li (.*)/) {
        for my $name (split / , /, $1) { $page{$_}{$name} = 0 for @types }
    }
}
sub seen {
    my ($type, $value) = @_;
    if (ref $value eq 'ARRAY') { seen($type, $_) for @$value }
    return if ref $value ne 'HASH';
    for (sort keys %$value) {
        print "not in the manual: $type: $_\n"
            if !exists $page{$type}{$_} && !/^(type|v)$/;
        $page{$type}{$_}++;
        seen($type, $value->{$_});
    }
}
while (<>) {
    my $line = decode_json($_);
    print "no type first: $_" if !/^\{"type":"/;
    print "no schema: $_" if ($line->{v} // 0) != 1;
    seen($line->{type}, $line);
}
for my $type (sort keys %page) {
    for (sort keys %{$page{$type}}) {
        print STDERR "$type $_\n" if !$page{$type}{$_};
    }
}
EOT
perl compare.pl "$page" lines >.out 2>unseen
silent out
types=$(sed -n 's/^{"type":"\([a-z-]*\)".*/\1/p' lines | sort -u | wc -l)
[ "$types" -ge 16 ]
ok $? "lines of $types types were looked at"

# What was not seen is printed by the program all the same.
cat "$top"/src/cli/*.c "$top"/src/device/agent/status.c >sources
lacking=
while read -r type name; do
    grep -q "\"$name\"\|\\\\\"$name\\\\\"" sources || lacking="$lacking $type:$name"
done <unseen
[ -z "$lacking" ]
ok $? "the manual has no member that there is not$lacking"
[ "$(wc -l <unseen)" -le 30 ]
ok $? "and few that this test has not seen: $(tr '\n' ',' <unseen)"
done_testing
