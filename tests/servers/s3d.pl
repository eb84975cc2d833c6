#!/usr/bin/perl
# An S3 store for tests: one bucket, objects as files in a folder.  It is a second implementation of AWS Signature Version 4, and says of
# each request, byte by byte as it came, whether its signature holds; and of
# copies with one bit turned, that theirs does not.
#   s3d.pl --vectors          AWS's own examples
#   s3d.pl FOLDER BUCKET LOG  prints its port, and serves until it is killed
# Variables: S3D_KEY, S3D_SECRET, S3D_TOKEN, S3D_REGION, S3D_HOST (the bucket
# is in the host's name), S3D_QUICK (no turned bits).  Files beside LOG, looked
# for at each request:
#   LOG.refuse   "PATTERN COUNT STATUS CODE [more XML]": so many are refused, of
#                those whose "METHOD PATH" matches
#   LOG.ignore   If-None-Match means nothing
#   LOG.deny     403 for what is not there, as without s3:ListBucket
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex hmac_sha256 hmac_sha256_hex);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use IO::Select;
use IO::Socket::INET;
use POSIX qw(strftime);
use Time::Local qw(timegm);

# -- signatures: https://docs.aws.amazon.com/AmazonS3/latest/API/
#    sig-v4-header-based-auth.html

sub encoded {
    my ($text) = @_;
    $text =~ s/([^A-Za-z0-9\-_.~\/])/sprintf '%%%02X', ord $1/ge;
    return $text;
}

# The signature of a request whose path is given decoded, without a query.
sub signature {
    my ($r, $secret, $scope, $signed) = @_;
    my $canonical = join "\n", $r->{method}, encoded($r->{path}), '';
    for my $name (split /;/, $signed) {
        my $value = $r->{headers}{$name} // '';
        $value =~ s/^\s+|\s+$//g;
        $value =~ s/ +/ /g;
        $canonical .= "\n$name:$value";
    }
    $canonical .= "\n\n$signed\n" . ($r->{headers}{'x-amz-content-sha256'} // '');
    my $key = "AWS4$secret";
    $key = hmac_sha256($_, $key) for split m{/}, $scope;
    return hmac_sha256_hex(join("\n", 'AWS4-HMAC-SHA256',
        $r->{headers}{'x-amz-date'} // '', $scope, sha256_hex($canonical)),
        $key);
}

# What is wrong with a request, or ''.
sub problem {
    my ($r, $key, $secret, $token, $region) = @_;
    my $h = $r->{headers};
    my ($id, $scope, $signed, $sum) = ($h->{authorization} // '') =~
        m{^AWS4-HMAC-SHA256 \s Credential=([^/]+)/([^,]+), \s?
          SignedHeaders=([^,]+), \s? Signature=([0-9a-f]{64})$}x
        or return 'no signature';
    return "key id $id" if $id ne $key;
    my ($date, $time) = ($h->{'x-amz-date'} // '') =~ /^(\d{8})T(\d{6})Z$/
        or return 'no date';
    return "scope $scope" if $scope ne "$date/$region/s3/aws4_request";
    my %is_signed = map { $_ => 1 } split /;/, $signed;
    return "order $signed" if $signed ne join ';', sort keys %is_signed;
    for my $name (grep { /^(x-amz-.*|host|content-type|cache-control|if-.*)$/ }
        keys %$h, 'host', 'x-amz-content-sha256') {
        return "$name is not signed" unless $is_signed{$name};
        return "no $name" unless defined $h->{$name};
    }
    return 'token' if ($h->{'x-amz-security-token'} // '') ne $token;
    return 'hash of the body'
        if $h->{'x-amz-content-sha256'} ne sha256_hex($r->{body});
    return 'signature' if $sum ne signature($r, $secret, $scope, $signed);
    my @t = ("$date$time" =~ /^(....)(..)(..)(..)(..)(..)$/);
    my $at = timegm($t[5], $t[4], $t[3], $t[2], $t[1] - 1, $t[0]);
    return 'clock' if abs($at - time) > 900 && !$r->{example};
    return '';
}

# Bits of a request that no signature may let pass: each is turned once.
sub blind_spots {
    my ($r, @who) = @_;
    my @blind;
    my %headers = %{$r->{headers}};
    my ($signed) = $headers{authorization} =~ /SignedHeaders=([^,]+)/;
    my $turn = sub {
        my ($text, $at) = @_;
        substr($text, $at, 1) = chr(ord(substr $text, $at, 1) ^ 1);
        return $text;
    };
    my $try = sub {
        my ($what, %change) = @_;
        $main::turned++;
        push @blind, $what if problem({%$r, %change}, @who) eq '';
    };
    $try->("path $_", path => $turn->($r->{path}, $_))
        for 1 .. length($r->{path}) - 1;
    $try->('method', method => $turn->($r->{method}, 0));
    $try->("body $_", body => $turn->($r->{body}, $_))
        for length $r->{body} ? (0, length($r->{body}) - 1) : ();
    for my $name (split /;/, "$signed;authorization") {
        $try->("$name $_", headers => {%headers,
            $name => $turn->($headers{$name}, $_)})
            for 0 .. length($headers{$name}) - 1;
    }
    return @blind;
}

sub vectors {
    my @who = ('AKIAIOSFODNN7EXAMPLE',
        'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', '', 'us-east-1');
    my $auth = 'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/'
        . 'us-east-1/s3/aws4_request,SignedHeaders=';
    my %common = (host => 'examplebucket.s3.amazonaws.com',
        'x-amz-date' => '20130524T000000Z');
    my %get = (method => 'GET', path => '/test.txt', body => '', example => 1,
        headers => {%common, range => 'bytes=0-9',
            'x-amz-content-sha256' => sha256_hex(''),
            authorization => $auth . 'host;range;x-amz-content-sha256;'
                . 'x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f'
                . '0170aba48dd91039c6036bdb41'});
    my $text = 'Welcome to Amazon S3.';
    my %put = (method => 'PUT', path => '/test$file.text', body => $text,
        example => 1, headers => {%common,
            date => 'Fri, 24 May 2013 00:00:00 GMT',
            'x-amz-storage-class' => 'REDUCED_REDUNDANCY',
            'x-amz-content-sha256' => sha256_hex($text),
            authorization => $auth . 'date;host;x-amz-content-sha256;'
                . 'x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f'
                . '1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd'});
    for my $r (\%get, \%put) {
        my $wrong = problem($r, @who);
        $wrong ||= join ', ', blind_spots($r, @who);
        die "$r->{method}: $wrong\n" if $wrong;
    }
    return 0;
}

exit vectors() if ($ARGV[0] // '') eq '--vectors';

# -- the store

my ($folder, $bucket, $log_name) = @ARGV;
my @who = map { $ENV{$_} // '' } qw(S3D_KEY S3D_SECRET S3D_TOKEN S3D_REGION);
my %about; # what a put said of an object, by name
our $turned = 0;
open my $log, '>>', $log_name or die "$log_name: $!\n";
$log->autoflush(1);

sub slurp {
    my ($name) = @_;
    open my $in, '<:raw', $name or return;
    local $/;
    return scalar <$in>;
}

sub spit {
    my ($name, $bytes) = @_;
    make_path(dirname($name));
    open my $out, '>:raw', "$name.new" or die "$name: $!\n";
    print $out $bytes;
    close $out;
    rename "$name.new", $name;
}

sub xml {
    my ($status, $code, $more) = @_;
    return ($status, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>"
        . "$code</Code><Message>About $code.</Message>" . ($more // '')
        . '</Error>', 'Content-Type: application/xml');
}

# The next refusal that a test asked for.
sub refusal {
    my ($r) = @_;
    my ($of, $count, $status, $code, $more) =
        split ' ', slurp("$log_name.refuse") // '', 5;
    return if !$of || "$r->{method} $r->{path}" !~ /^$of/ || $count-- == 0;
    spit("$log_name.refuse", "$of $count $status $code " . ($more // ''));
    if ($code eq 'html') {
        return ($status, '<html>' . 'x' x 40000, 'Content-Type: text/html');
    }
    return xml($status, $code, $more);
}

# Where the object is, or nothing: it is none of the bucket.
sub name_of {
    my ($r) = @_;
    my $path = $r->{path};
    my ($first) = split /\./, $r->{headers}{host} // '';
    return $ENV{S3D_HOST} && $first ne $bucket ? undef
        : $ENV{S3D_HOST} ? substr $path, 1
        : $path =~ m{^/\Q$bucket\E/(.+)} ? $1 : undef;
}

sub answer {
    my ($r, $wrong) = @_;
    my ($method, $name) = ($r->{method}, name_of($r));
    return xml(403, 'SignatureDoesNotMatch') if $wrong;
    my @refused = refusal($r);
    return @refused if @refused;
    return xml(404, 'NoSuchBucket') unless defined $name;
    my $file = "$folder/$name";
    if ($method eq 'PUT') {
        return xml(412, 'PreconditionFailed')
            if $r->{headers}{'if-none-match'} && -e $file
            && !-e "$log_name.ignore";
        spit($file, $r->{body});
        $about{$name} = join '', map { "\r\n$_: $r->{headers}{$_}" }
            grep { exists $r->{headers}{$_} } qw(content-type cache-control);
        return (200, '');
    }
    if ($method eq 'DELETE') {
        unlink $file;
        return (204, '');
    }
    my $bytes = -f $file ? slurp($file) : undef;
    return -e "$log_name.deny" ? xml(403, 'AccessDenied') : xml(404, 'NoSuchKey')
        unless defined $bytes;
    return (200, $bytes,
        strftime('Last-Modified: %a, %d %b %Y %H:%M:%S GMT',
            gmtime((stat $file)[9])),
        'ETag: "' . md5_hex($bytes) . '"' . ($about{$name} // ''));
}

# One request out of what came, or nothing yet.
sub take {
    my ($text) = @_;
    my $end = index $$text, "\r\n\r\n";
    return if $end < 0;
    my ($line, @lines) = split /\r\n/, substr $$text, 0, $end;
    my ($method, $path) = $line =~ m{^(\S+) (\S+) HTTP/1\.1$};
    my %headers;
    for (@lines) {
        my ($name, $value) = /^([^:]+):\s*(.*?)\s*$/ or next;
        my $before = $headers{lc $name};
        $headers{lc $name} = defined $before ? "$before,$value" : $value;
    }
    my $len = $headers{'content-length'} // 0;
    return if length($$text) < $end + 4 + $len;
    my $body = substr $$text, $end + 4, $len;
    $$text = substr $$text, $end + 4 + $len;
    return {method => $method, path => $path, headers => \%headers,
        body => $body};
}

sub serve {
    my ($socket, $r) = @_;
    my $wrong = '';
    # devices read without a signature
    my $signed = $r->{headers}{authorization}
        || ($r->{headers}{'user-agent'} // '') =~ /^ota-pack/;
    if ($signed) {
        $wrong = problem($r, @who);
        $wrong ||= 'a character' if $r->{path} !~ m{^[a-z0-9._/-]+$};
        my @blind = $wrong || $ENV{S3D_QUICK} ? () : blind_spots($r, @who);
        $wrong = "blind: @blind" if @blind;
    }
    my ($status, $body, @headers) = answer($r, $wrong);
    my $class = $r->{headers}{'cache-control'} // '-';
    print $log "$status $r->{method} $r->{path} ",
        $wrong ? "WRONG: $wrong" : $signed ? "ok $turned" : 'public',
        " $class\n";
    my $now = time - ($body =~ /TooSkewed/ ? 1000 : 0);
    print $socket join "\r\n", "HTTP/1.1 $status X",
        strftime('Date: %a, %d %b %Y %H:%M:%S GMT', gmtime $now), @headers,
        $status == 204 ? () : 'Content-Length: ' . length($body), '',
        $r->{method} eq 'HEAD' ? '' : $body;
    $socket->flush;
}

$SIG{PIPE} = 'IGNORE';
my $server = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1')
    or die "no port: $!\n";
$| = 1;
print $server->sockport, "\n";
my $select = IO::Select->new($server);
my %came;
while (my @ready = $select->can_read) {
    for my $s (@ready) {
        if ($s == $server) {
            my $new = $server->accept or next;
            $select->add($new);
            $came{$new} = '';
            next;
        }
        if (!sysread $s, $came{$s}, 1 << 20, length $came{$s}) {
            $select->remove($s);
            delete $came{$s};
            close $s;
            next;
        }
        while (my $r = take(\$came{$s})) {
            serve($s, $r);
        }
    }
}
