/* ota-pack.yml: each mistake with its place and words, and the model. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tap.h"
#include "config/config_private.h"

/* Four lines, after which a release's other keys follow. */
#define TOP   "key: k\nreleases:\n- name: r\n  version: 1\n"
#define FILES "  files: [a]\n"
#define DEVS  "  devices: [aabbccddeeff]\n"
#define REST  FILES DEVS
/* Line 1, before the top's other keys, and a release that is as it should be.
 */
#define KEY        "key: k\n"
#define BAD_ESCAPE "in its user name, write '%' as '%25'\n"
#define BAD_BUCKET(col, url)                                                   \
    "2:" col ": error: server 's3://" url                                      \
    "': a bucket's name has 3 to 63 of a-z, 0-9, '.' and '-', and begins and " \
    "ends with a letter or digit\n"
#define GOOD "releases:\n- name: r\n  version: 1\n" REST

/* What is said about `yaml`, a line each: LINE:COL: LEVEL: MESSAGE, with the
 * file's name before it where it is not the configuration. */
static const struct wrong_case {
    const char *what, *yaml, *want;
} wrong_cases[] = {
    {"the least", KEY GOOD, ""},
    {"a byte order mark", "\xef\xbb\xbf" KEY "Key: 1\n" GOOD,
     "2:1: error: unknown key 'Key' (did you mean 'key'?)\n"},
    {"CR LF", "key: k\r\nkey2: k\r\n" GOOD,
     "2:1: error: unknown key 'key2' (did you mean 'key'?)\n"},
    {"JSON",
     "{\"key\":\"k\",\"releases\":[{\"name\":\"r\",\"version\":1,"
     "\"files\":[\"a\"],\"devices\":[\"aabbccddeeff\"]}]}",
     ""},

    /* YAML itself */
    {"nothing", "",
     "1:1: error: the configuration is empty: delete it, then 'ota-pack init' "
     "writes one\n"},
    {"comments alone", "# key: k\n",
     "1:1: error: the configuration is empty: delete it, then 'ota-pack init' "
     "writes one\n"},
    {"a list", "- a\n",
     "1:1: error: the configuration must be a map: 'key: ...'\n"},
    {"a text", "\nkey",
     "1:1: error: the configuration must be a map: 'key: ...'\n"},
    {"two documents", KEY GOOD "---\nkey: k\n",
     "7:1: error: a second document: a file holds one configuration\n"},
    {"a tab", "key:\n\t- a\n",
     "2:1: error: found character that cannot start any token (a tab: indent "
     "with spaces), while scanning for the next token\n"},
    {"a character that wants quotes", "key: @a\n",
     "1:6: error: found character that cannot start any token (quote a text "
     "that begins with it), while scanning for the next token\n"},
    {"a pattern without its quotes", "files:\n  - *.py\n",
     "2:6: error: did not find expected alphabetic or numeric character (quote "
     "a text that begins with '*'), while scanning an alias\n2:5: note: the "
     "alias begins here\n"},
    {"an ampersand without its quotes", "key: &.k\n",
     "1:7: error: did not find expected alphabetic or numeric character (quote "
     "a text that begins with '&'), while scanning an anchor\n1:6: note: the "
     "anchor begins here\n"},
    {"braces without quotes, in a map", "files:\n  - {from: s/{id}}\n",
     "2:14: error: did not find expected ',' or '}' (quote a text with "
     "brackets "
     "in it), while parsing a flow mapping\n2:5: note: the flow mapping begins "
     "here\n"},
    {"braces without quotes, at its start", "files:\n  - {id}.py\n",
     "2:9: error: did not find expected '-' indicator (quote a text with "
     "brackets in it), while parsing a block collection\n2:3: note: the block "
     "collection begins here\n"},
    {"a list that is never closed", "key: k\nreleases: [a\n",
     "3:1: error: did not find expected ',' or ']', while parsing a flow "
     "sequence\n2:11: note: the flow sequence begins here\n"},
    {"a quote that is never closed", "key: \"k\nreleases: 1\n",
     "3:1: error: found unexpected end of stream, while scanning a quoted "
     "scalar\n1:6: note: the quoted scalar begins here\n"},
    {"wrong indentation", "key: k\n a: b\n",
     "2:3: error: mapping values are not allowed in this context\n"},
    {"Latin-1", "key: k\n# gr\xfcn\n",
     "2:5: error: byte 0xfc is not UTF-8: save the file as UTF-8\n"},
    {"UTF-8 that ends too early", "key: \xc3",
     "1:6: error: byte 0xc3 is not UTF-8: save the file as UTF-8\n"},
    {"columns before a bad byte are characters", "key: \xc3\xa4\xc3\xb6\xff\n",
     "1:8: error: byte 0xff is not UTF-8: save the file as UTF-8\n"},
    {"UTF-16", "\xff\xfek\x01",
     "1:1: error: this is UTF-16: save the file as UTF-8\n"},
    {"a control character", "key: k\r\n\r\nb: \x07\n",
     "3:4: error: character U+0007 is not allowed in YAML\n"},
    {"a line separator",
     "key: k\nb: a\xe2\x80\xa8"
     "b\n",
     "2:5: error: character U+2028 is a line break to some programs only: "
     "remove it\n"},
    {"33 levels", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
     "1:33: error: nested deeper than 32 levels\n"},
    {"no anchor", "key: *k\n",
     "1:6: error: no anchor '&k' before this alias (quote a text that begins "
     "with '*')\n"},
    {"an alias within its anchor", "x-a: &a [*a]\n",
     "1:10: error: alias '*a' is inside its own anchor\n"},
    {"a tag", "key: !env K\n" GOOD,
     "1:6: error: tag '!env' is not known here\n"},
    {"a tag of YAML's own", "key: !!str k\n" GOOD, ""},
    {"a key that is a list", KEY "[a, b]: c\n" GOOD,
     "2:1: error: a key must be a text\n"},

    /* keys */
    {"a duplicate key", "key: k\nkey: l\n" GOOD,
     "2:1: error: duplicate key 'key'\n1:1: note: the previous one is here\n"},
    {"three of a kind", "key: k\nkey: l\n'key': m\n" GOOD,
     "2:1: error: duplicate key 'key'\n1:1: note: the previous one is here\n"
     "3:1: error: duplicate key 'key'\n2:1: note: the previous one is here\n"},
    {"duplicate in an extension", "x-a: {b: 1, c: 2, b: 3}\n" KEY GOOD,
     "1:19: error: duplicate key 'b'\n1:7: note: the previous one is here\n"},
    {"an unknown key at the top", KEY "foo: 1\n" GOOD,
     "2:1: error: unknown key 'foo'\n"},
    {"a release's key at the top", KEY "files: [a]\n" GOOD,
     "2:1: error: key 'files' is not allowed here: it belongs in an item of "
     "'releases'\n"},
    {"a key of the top in a release", TOP REST "  server: x\n",
     "7:3: error: key 'server' is not allowed in release 'r': it belongs at "
     "the top of the file\n"},
    {"a file's key in a release", TOP REST "  mode: x\n",
     "7:3: error: key 'mode' is not allowed in release 'r': it belongs in an "
     "item of 'files'\n"},
    {"a slip is one error, not two", TOP "  fiels: [a]\n" DEVS,
     "5:3: error: unknown key 'fiels' in release 'r' (did you mean "
     "'files'?)\n"},
    {"another tool's word", TOP "  targets: [a]\n" FILES,
     "5:3: error: unknown key 'targets' in release 'r' (did you mean "
     "'devices'?)\n"},
    {"extensions", KEY "x-foo: [1, {a: b}]\n" GOOD, ""},

    /* the top */
    {"no key", GOOD,
     "1:1: error: no 'key': the secret key's file, or env:NAME\n"},
    {"no releases", KEY, "1:1: error: no 'releases'\n"},
    {"a key without a value", "key:\n" GOOD,
     "1:5: error: 'key' has no value\n"},
    {"an empty key", "key: ''\n" GOOD, "1:6: error: 'key' is empty\n"},
    {"null", "key: ~\nserver: null\n" GOOD,
     "1:6: error: 'key' has no value\n2:9: error: 'server' has no value\n"},
    {"a list for a text", "key: [k]\n" GOOD,
     "1:6: error: 'key' must be a text, not a list\n"},
    {"a map for a text", "key: {k: 1}\n" GOOD,
     "1:6: error: 'key' must be a text, not a map\n"},
    {"env: without a name", "key: 'env:'\n" GOOD,
     "1:6: error: 'env:' does not name an environment variable: write it like "
     "env:OTA_PACK_KEY\n"},
    {"env: with a bad name", "key: env:1A\n" GOOD,
     "1:6: error: 'env:1A' does not name an environment variable: write it "
     "like env:OTA_PACK_KEY\n"},
    {"a server of no kind", KEY "server: gopher://x/\n" GOOD,
     "2:9: error: server 'gopher://x/' is of an unknown kind: give a folder, "
     "or http, https, sftp, ftp, ftps, s3\n"},
    {"a server's password in its URL", KEY "server: https://u:pw@x/\n" GOOD,
     "2:9: error: leave the password out of the URL; set "
     "OTA_PACK_SERVER_PASSWORD (ota-pack.yml(5), Servers)\n"},
    {"URLs that are none",
     KEY "servers: [https://, 's3:///x', 'sftp://u@/x', 'http://x/?a', "
         "'http://x/a/../b', 'http://x/a b']\n" GOOD,
     "2:11: error: server 'https://': it names no host\n"
     "2:21: error: server 's3:///x': it names no bucket\n"
     "2:32: error: server 'sftp://u@/x': it names no host\n"
     "2:47: error: server 'http://x/?a': it has a '?' or '#'\n"
     "2:62: error: server 'http://x/a/../b': it has a part '.' or '..'\n"
     "2:81: error: server 'http://x/a b': it has a character that no URL "
     "has\n"},
    {"users that cannot be read",
     KEY "servers: ['sftp://a%4@x/', 'ftp://%@x', 'https://%g0@x/', "
         "'sftp://a%00@x', 'ftp://a%0D%0ADELE%20b@x']\n" GOOD,
     "2:11: error: server 'sftp://a%4@x/': " BAD_ESCAPE
     "2:28: error: server 'ftp://%@x': " BAD_ESCAPE
     "2:41: error: server 'https://%g0@x/': " BAD_ESCAPE
     "2:59: error: server 'sftp://a%00@x': its user has a control character\n"
     "2:76: error: server 'ftp://a%0D%0ADELE%20b@x': its user has a control "
     "character\n"},
    {"buckets and prefixes that are none",
     KEY "servers: ['s3://ab', 's3://A.b', 's3://a..b', 's3://ab-/x', "
         "'s3://abc/X', 's3://abc/x//y', 's3://abc/x/..', 's3://k@abc']\n" GOOD,
     BAD_BUCKET("11", "ab") BAD_BUCKET("22", "A.b") BAD_BUCKET("34", "a..b")
         BAD_BUCKET("47", "ab-/x") "2:61: error: server 's3://abc/X': a prefix "
                                   "has only a-z, 0-9, '.', '_', "
                                   "'/' and '-'\n"
                                   "2:75: error: server 's3://abc/x//y': a "
                                   "prefix has no part that is empty "
                                   "or begins with '.'\n"
                                   "2:92: error: server 's3://abc/x/..': a "
                                   "prefix has no part that is empty "
                                   "or begins with '.'\n"
                                   "2:109: error: server 's3://k@abc': leave "
                                   "the access key out of it\n"},
    {"regions and endpoints that are none",
     KEY "servers:\n- {url: s3://abc, region: a.b}\n"
         "- {url: s3://abd, endpoint: host}\n"
         "- {url: s3://abe, endpoint: 'http://'}\n"
         "- {url: s3://abf, endpoint: 'http://k:s@h', style: x}\n" GOOD,
     "3:27: error: region 'a.b' is not valid: up to 63 letters, digits, '-' "
     "and "
     "'_'\n"
     "4:29: error: endpoint 'host': it is not an http or https URL\n"
     "5:29: error: endpoint 'http://': it names no host\n"
     "6:29: error: leave the password out of the URL; set "
     "OTA_PACK_SERVER_PASSWORD (ota-pack.yml(5), Servers)\n"
     "6:52: error: style 'x' is neither 'host' nor 'path'\n"},
    {"settings of another kind",
     KEY "server: {url: https://x/, region: a, known_hosts: b}\n" GOOD,
     "2:35: error: 'region' is for s3 only\n"
     "2:51: error: 'known_hosts' is for sftp only\n"},
    {"a server without a url", KEY "server: {user: me}\n" GOOD,
     "2:9: error: a server has no 'url'\n"},
    {"both ways", KEY "server: a\nservers: [b]\n" GOOD,
     "3:1: error: 'server' and 'servers' cannot be combined\n"},
    {"a server twice", KEY "servers: [a, {url: a}]\n" GOOD,
     "2:14: error: server 'a' is listed twice\n"},
    {"choices", KEY "server: {url: https://x, http2: maybe}\n" GOOD,
     "2:33: error: http2 'maybe' is neither 'true' nor 'false'\n"},
    {"sign_command must be a list", KEY "sign_command: prog\n" GOOD,
     "2:15: error: 'sign_command' must be a list: '- ...' or [...]\n"},
    {"sign_command may not be empty", KEY "sign_command: []\n" GOOD,
     "2:15: error: 'sign_command' is an empty list\n"},
    {"a list where a text should be", KEY "sign_command: [a, [b]]\n" GOOD,
     "2:19: error: an item of 'sign_command' must be a text, not a list: lists "
     "do not nest, write its items one by one\n"},
    {"a list in a list of patterns", TOP REST "  exclude: [a, [b]]\n",
     "7:16: error: an item of 'exclude' must be a text, not a list: lists "
     "do not nest, write its items one by one\n"},
    {"a list of servers in the list", KEY "servers: [public/, [b/]]\n" GOOD,
     "2:20: error: an item of 'servers' must be a text, not a list: lists do "
     "not nest, write its items one by one\n"},
    {"an alias of a list in a list",
     KEY "x-a: &a [x/**]\n"
         "releases:\n- name: r\n  version: 1\n"
         "  files: [m.py, *a]\n" DEVS,
     "6:17: error: an item of 'files' must be a text, not a list: lists do not "
     "nest, write its items one by one\n"},
    {"a map in a list of texts", TOP REST "  delete:\n  - {id}\n",
     "8:5: error: an item of 'delete' must be a text, not a map: quote a text "
     "that has '{' or ': ' in it\n"},
    {"a device that is a list",
     TOP "  files: [a]\n  devices: [[\"246f28aabbcc\"]]\n",
     "6:13: error: an item of 'devices' must be a text, not a list: lists do "
     "not nest, write its items one by one\n"},
    {"an item without a value", TOP "  files:\n  - a\n  -\n" DEVS,
     "7:4: error: an item of 'files' has no value\n"},
    {"a text in a map in a list", TOP "  files: [{from: [a]}]\n" DEVS,
     "5:18: error: 'from' must be a text, not a list\n"},
    {"releases as a map", KEY "releases: {r: {}}\n",
     "2:11: error: 'releases' must be a list: each begins with '- name:'\n"},
    {"releases empty", KEY "releases: []\n",
     "2:11: error: 'releases' is an empty list\n"},
    {"a release that is a text", KEY "releases: [r]\n",
     "2:12: error: a release must be a map: it begins with '- name:'\n"},

    /* numbers */
    {"hardware", KEY "hardware: -1\n" GOOD,
     "2:11: error: hardware '-1' is not a number from 0 to 65535\n"},
    {"hardware too large", TOP REST "  hardware: 65536\n",
     "7:13: error: hardware '65536' is not a number from 0 to 65535\n"},
    {"hardware with a leading zero", TOP REST "  hardware: 07\n",
     "7:13: error: hardware '07' is not a number from 0 to 65535\n"},
    {"ram", KEY "ram: 24 KB\n" GOOD,
     "2:6: error: ram '24 KB' is not a size like 24K, 1M or 16384\n"},
    {"ram beyond 32 bits", KEY "ram: 4096M\n" GOOD,
     "2:6: error: ram '4096M' is not a size like 24K, 1M or 16384\n"},
    {"ram beyond 64 bits", KEY "ram: 99999999999999999999\n" GOOD,
     "2:6: error: ram '99999999999999999999' is not a size like 24K, 1M or "
     "16384\n"},
    {"too little ram", TOP REST "  ram: 10K\n",
     "7:8: error: ram '10K' is too small for any window: the least is 10784 "
     "(11K)\n"},
    {"expires without a unit", KEY "expires: 90\n" GOOD,
     "2:10: error: expires '90' is not a time like 90d, 12h or 4w, or never\n"},
    {"expires at once", KEY "expires: 0d\n" GOOD,
     "2:10: error: expires '0d' is not a time like 90d, 12h or 4w, or never\n"},
    {"expires in months", TOP REST "  expires: 3m\n",
     "7:12: error: expires '3m' is not a time like 90d, 12h or 4w, or never\n"},
    {"expires in two units", KEY "expires: 1d12h\n" GOOD,
     "2:10: error: expires '1d12h' is not a time like 90d, 12h or 4w, or "
     "never\n"},
    {"expires in 200 years", KEY "expires: 73000d\n" GOOD,
     "2:10: error: expires '73000d' is more than 36500d\n"},

    /* a release */
    {"an empty release", KEY "releases:\n- {}\n",
     "3:3: error: no 'name' in this release\n"
     "3:3: error: no 'version' in this release: give a number from 1, or auto\n"
     "3:3: error: no 'files' in this release\n"
     "3:3: error: no 'devices' in this release\n"},
    {"a name alone", KEY "releases:\n- name: r\n",
     "3:3: error: no 'version' in release 'r': give a number from 1, or auto\n"
     "3:3: error: no 'files' in release 'r'\n"
     "3:3: error: no 'devices' in release 'r'\n"},
    {"files empty", TOP "  files: []\n" DEVS,
     "5:10: error: 'files' is an empty list\n"},
    {"files without a value", TOP "  files:\n" DEVS,
     "5:9: error: 'files' has no value\n"},
    {"files as a text", TOP "  files: a\n" DEVS,
     "5:10: error: 'files' must be a list: '- ...' or [...]\n"},
    {"devices empty", TOP "  devices: []\n" FILES,
     "5:12: error: 'devices' is an empty list\n"},
    {"devices as a file", TOP "  devices: fleet.csv\n" FILES,
     "5:12: error: 'devices' must be a list: write '- {from: fleet.csv}' below "
     "it\n"},
    {"a name with a space", KEY "releases:\n- name: a b\n  version: 1\n" REST,
     "3:9: error: release name 'a b' is not 1 to 64 letters, digits, '.', '_' "
     "and '-', with a letter, digit or '_' first: it is typed in shells and "
     "used in paths\n"},
    {"a name like an option", KEY "releases:\n- name: -n\n  version: 1\n" REST,
     "3:9: error: release name '-n' is not 1 to 64 letters, digits, '.', '_' "
     "and '-', with a letter, digit or '_' first: it is typed in shells and "
     "used in paths\n"},
    {"a name like a device",
     KEY "releases:\n- name: aabbccddeeff\n  version: 1\n" REST,
     "3:9: error: release name 'aabbccddeeff' would be mistaken for a device "
     "id\n"},
    {"two releases of a name",
     TOP REST "- name: q\n  version: 1\n" FILES "  devices: [aabbccddee01]\n"
              "- name: r\n  version: 1\n" FILES "  devices: [aabbccddee02]\n",
     "11:9: error: two releases are named 'r'\n"
     "3:9: note: the first one is here\n"},
    {"version 0", KEY "releases:\n- name: r\n  version: 0\n" REST,
     "4:12: error: version '0' is not a number from 1 to 2147483647, or auto: "
     "text for people goes into 'label'\n"},
    {"version 1.10", KEY "releases:\n- name: r\n  version: 1.10\n" REST,
     "4:12: error: version '1.10' is not a number from 1 to 2147483647, or "
     "auto: text for people goes into 'label'\n"},
    {"version above 2^31",
     KEY "releases:\n- name: r\n  version: 2147483648\n" REST,
     "4:12: error: version '2147483648' is not a number from 1 to 2147483647, "
     "or auto: text for people goes into 'label'\n"},
    {"version of many digits",
     KEY "releases:\n- name: r\n  version: 18446744073709551617\n" REST,
     "4:12: error: version '18446744073709551617' is not a number from 1 to "
     "2147483647, or auto: text for people goes into 'label'\n"},
    {"version 007", KEY "releases:\n- name: r\n  version: 007\n" REST,
     "4:12: error: version '007' is not a number from 1 to 2147483647, or "
     "auto: text for people goes into 'label'\n"},
    {"a label of 33 bytes",
     TOP REST "  label: 1234567890123456789012345678901\xc3\xa4\n",
     "7:10: error: label '1234567890123456789012345678901\xc3\xa4' is 33 "
     "bytes: at most 32\n"},
    {"a label of two lines", TOP REST "  label: \"a\\nb\"\n",
     "7:10: error: 'label' has a character that cannot be printed (U+000A)\n"},
    {"a NUL", TOP REST "  label: \"a\\0b\"\n",
     "7:10: error: 'label' has a character that cannot be printed (U+0000)\n"},
    {"a bidirectional control", TOP REST "  label: \"\\u202e\"\n",
     "7:10: error: 'label' has a character that cannot be printed (U+202E)\n"},
    {"exclude must be a list", TOP REST "  exclude: a\n",
     "7:12: error: 'exclude' must be a list: '- ...' or [...]\n"},
    {"bad deletes", TOP REST "  delete: [../a, /b, 'a*', '', c, .ota/x]\n",
     "7:28: error: an item of 'delete' is empty\n"
     "7:12: error: '../a' cannot be a path on the device: it has a "
     "component '.' or '..'\n"
     "7:18: error: '/b' cannot be a path on the device: it begins "
     "with '/': leave that out\n"
     "7:22: error: 'a*' cannot be a path on the device: patterns are not "
     "allowed here\n"
     "7:35: error: '.ota/x' cannot be a path on the device: '.ota' "
     "belongs to the installer\n"},
    {"a path deleted twice", TOP REST "  delete: [b, A/x, c, a/X]\n",
     "7:23: error: path 'a/X' is deleted twice\n"
     "7:15: note: it is first listed here\n"},

    /* files */
    {"a file that is a list", TOP "  files: [[a]]\n" DEVS,
     "5:11: error: an item of 'files' must be a text, not a list: lists do "
     "not nest, write its items one by one\n"},
    {"an empty file", TOP "  files: ['', a]\n" DEVS,
     "5:11: error: an item of 'files' is empty\n"},
    {"no from", TOP "  files: [{to: a}]\n" DEVS,
     "5:11: error: no 'from' in this item of 'files'\n"},
    {"another word for from", TOP "  files: [{src: a, dst: b}]\n" DEVS,
     "5:12: error: unknown key 'src' in an item of 'files' (did you mean "
     "'from'?)\n"
     "5:20: error: unknown key 'dst' in an item of 'files' (did you mean "
     "'to'?)\n"},
    {"to without a value", TOP "  files: [{from: a, to: }]\n" DEVS,
     "5:25: error: 'to' has no value\n"},
    {"slot and to, slot and mode",
     TOP "  files: [{from: a, slot: app, to: b, mode: '600'}]\n" DEVS,
     "5:36: error: a firmware image has no 'to': its place is slot 'app'\n"
     "5:45: error: a firmware image has no 'mode'\n"},
    {"a mode that is not octal",
     TOP "  files: [{from: a, mode: 788}, {from: a, mode: 1777}, {from: a, "
         "mode: rwx}]\n" DEVS,
     "5:27: error: mode '788' is not octal from 0 to 777, like \"755\"\n"
     "5:49: error: mode '1777' is not octal from 0 to 777, like \"755\"\n"
     "5:72: error: mode 'rwx' is not octal from 0 to 777, like \"755\"\n"},
    {"a pattern with !", TOP "  files: ['**', '!a']\n" DEVS,
     "5:17: error: patterns have no '!': put 'a' into 'exclude'\n"},

    /* devices */
    {"not an id", TOP FILES "  devices: ['24:6f:28:00:00:0g']\n",
     "6:13: error: '24:6f:28:00:00:0g' is not a device id: 6 or 8 pairs of hex "
     "digits, like 24:6f:28:aa:bb:cc\n"},
    {"no id", TOP FILES "  devices: [{name: a}]\n",
     "6:13: error: no 'id' in this device\n"},
    {"a device twice, in another spelling",
     TOP FILES "  devices: [aabbccddeeff, AA-BB-CC-DD-EE-FF]\n",
     "6:27: error: device aa:bb:cc:dd:ee:ff is listed twice in release 'r'\n"
     "6:13: note: first listed here\n"},
    {"a device in two releases",
     TOP REST "- name: q\n  version: 1\n" FILES
              "  devices: [{id: aabb.ccdd.eeff}]\n",
     "10:18: error: device aa:bb:cc:dd:ee:ff is in two releases, 'r' and 'q'\n"
     "6:13: note: first listed here\n"},
    {"a name twice",
     TOP FILES "  devices:\n  - {id: aabbccddee01, name: a}\n"
               "  - {id: aabbccddee02, name: a}\n",
     "8:10: error: two devices are named 'a'\n"
     "7:10: note: the other one is aa:bb:cc:dd:ee:01\n"},
    {"a name that is another's id",
     TOP FILES "  devices: [{id: aabbccddee01, name: aabbccddee02}]\n",
     "6:38: error: name 'aabbccddee02' is the id of another device\n"},
    {"a value that is a list",
     TOP FILES "  devices: [{id: aabbccddee01, site: [a]}]\n",
     "6:38: error: 'site' must be a text, not a list\n"},
    {"a value's name with a brace",
     TOP FILES "  devices: [{id: aabbccddee01, 'a}': b}]\n",
     "6:32: error: a value's name 'a}' has other characters than letters, "
     "digits, '_', '-', '.'\n"},
    {"a list with values",
     TOP FILES "  devices: [{from: fleet.csv, site: a}]\n",
     "6:13: error: a list of devices has 'from' and nothing else: values are "
     "its columns\n"},
    {"a list that cannot be read", TOP FILES "  devices: [{from: no.csv}]\n",
     "6:20: error: cannot read 'no.csv': it is away\n"},
    {"a list twice",
     TOP FILES "  devices: [{from: fleet.csv}, {from: fleet.csv}]\n",
     "6:39: error: list 'fleet.csv' is here twice: a device is in one "
     "release\n6:20: note: it is first listed here\n"},
    {"a list and a device in it",
     TOP FILES "  devices: [{from: fleet.csv}, 00-00-00-00-00-01]\n",
     "6:32: error: device 00:00:00:00:00:01 is listed twice in release 'r'\n"
     "fleet.csv:2:1: note: first listed here\n"},

    /* variables */
    {"not set", "key: a${OTA_T_NONE}b\n" GOOD,
     "1:7: error: variable 'OTA_T_NONE' is not set: set it, or give a default "
     "like ${OTA_T_NONE:-text}\n"},
    {"its place in quotes", "key: '\xc3\xa4${OTA_T_NONE}'\n" GOOD,
     "1:8: error: variable 'OTA_T_NONE' is not set: set it, or give a default "
     "like ${OTA_T_NONE:-text}\n"},
    {"its place after an escape is the value's",
     "key: \"\\t\\t${OTA_T_NONE}\"\n" GOOD,
     "1:6: error: variable 'OTA_T_NONE' is not set: set it, or give a default "
     "like ${OTA_T_NONE:-text}\n"},
    {"a message", "key: ${OTA_T_NONE:?where is the key}\n" GOOD,
     "1:6: error: variable 'OTA_T_NONE' is not set: where is the key\n"},
    {"a message for an empty one", "key: ${OTA_T_EMPTY:?where is it}\n" GOOD,
     "1:6: error: variable 'OTA_T_EMPTY' is not set: where is it\n"},
    {"empty is a value", "key: ${OTA_T_EMPTY}\n" GOOD,
     "1:6: error: 'key' is empty\n"},
    {"never closed", "key: a${OTA\n" GOOD,
     "1:7: error: '${' without a closing '}'\n"},
    {"a bad name", "key: a${1}\n" GOOD,
     "1:7: error: a variable is ${NAME}, ${NAME:-default} or "
     "${NAME:?message}, and a dollar is $$\n"},
    {"no name", "key: ${}\n" GOOD,
     "1:6: error: a variable is ${NAME}, ${NAME:-default} or "
     "${NAME:?message}, and a dollar is $$\n"},
    {"a way of the shell's", "key: ${A:+b}\n" GOOD,
     "1:6: error: a variable is ${NAME}, ${NAME:-default} or "
     "${NAME:?message}, and a dollar is $$\n"},
    {"a name and a colon", "key: '${A:}'\n" GOOD,
     "1:7: error: a variable is ${NAME}, ${NAME:-default} or "
     "${NAME:?message}, and a dollar is $$\n"},
    {"a lone dollar", "key: a$b\n" GOOD,
     "1:7: error: a variable is ${NAME}, and a dollar is $$\n"},
    {"a dollar at the end", "key: a$\n" GOOD,
     "1:7: error: a variable is ${NAME}, and a dollar is $$\n"},
    {"a value that cannot be printed", "key: ${OTA_T_BELL}\n" GOOD,
     "1:6: error: 'key' has a character that cannot be printed (U+0007)\n"},
    {"a value that is not UTF-8", "key: ${OTA_T_LATIN}\n" GOOD,
     "1:6: error: 'key' is not UTF-8\n"},
    {"not in keys", KEY "${OTA_T_A}: k\n" GOOD,
     "2:1: error: unknown key '${OTA_T_A}'\n"},
    {"not twice: a value adds no variables", "key: ${OTA_T_DOLLAR}\n" GOOD, ""},
    {"not YAML: a value adds no keys", "key: ${OTA_T_YAML}\n" GOOD, ""},

    /* merge keys */
    {"<< takes maps", KEY "<<: a\n" GOOD,
     "2:5: error: '<<' takes a map, or a list of maps\n"},
    {"<< takes lists of maps", KEY "<<: [a]\n" GOOD,
     "2:6: error: '<<' takes maps\n"},
    {"a mistake in what is merged", KEY "x-a: &a {foo: 1}\n<<: *a\n" GOOD,
     "2:10: error: unknown key 'foo'\n"},
    {"is said once, however often it is merged",
     KEY "x-a: &a {ram: 1}\nreleases:\n- {<<: *a, name: r, version: 1, files: "
         "[a], devices: [aabbccddee01]}\n- {<<: *a, name: s, version: 1, "
         "files: [a], devices: [aabbccddee02]}\n",
     "2:15: error: ram '1' is too small for any window: the least is 10784 "
     "(11K)\n"},
};

/* ---- what is said */

static char said[64 * 1024];

static void keep(void *ctx, const struct diag_event *e)
{
    static const char *const levels[] = {"error", "warning", "note"};
    const struct diag_mark *m = &e->mark;
    size_t len = strlen(said);

    (void)ctx;
    if (m->source && strcmp(m->source->name, "t.yml") != 0)
        len += (size_t)snprintf(said + len, sizeof said - len,
                                "%s:", m->source->name);
    if (m->source)
        len += (size_t)snprintf(said + len, sizeof said - len,
                                "%u:%u: ", (unsigned)m->line, (unsigned)m->col);
    if (len < sizeof said)
        snprintf(said + len, sizeof said - len, "%s: %s\n", levels[e->level],
                 e->message);
}

static int read_test(void *ctx, const char *path, char **bytes, size_t *len,
                     const char **reason)
{
    static const char csv[] = "id,name\n000000000001,one\n";

    (void)ctx;
    *reason = "it is away";
    if (strcmp(path, "fleet.csv") != 0)
        return -1;
    *bytes = strdup(csv);
    *len = strlen(csv);
    return 0;
}

static struct config *parse(const char *yaml)
{
    struct config *c;

    said[0] = '\0';
    diag_reset();
    config_parse("t.yml", strdup(yaml), strlen(yaml), read_test, NULL, &c);
    return c;
}

static void test_wrong(void)
{
    for (size_t i = 0; i < sizeof wrong_cases / sizeof wrong_cases[0]; i++) {
        const struct wrong_case *w = &wrong_cases[i];
        const char *want = w->want;

        config_free(parse(w->yaml));
        if (!check(strcmp(said, want) == 0, "%s", w->what))
            printf("# yaml\n%s\n# got\n%s# want\n%s", w->yaml, said, want);
        if (*want && diag_status() != DIAG_CONFIG)
            check(diag_status() == DIAG_INPUT && strstr(want, "cannot read"),
                  "%s: its status", w->what);
    }
}

/* ---- the model */

static const char model[] =
    "x-common: &common\n"
    "  ram: 16K\n"
    "  exclude: ['*.bak']\n"
    "key: ${OTA_T_A}.key\n"
    "server: public/\n"
    "hardware: 3\n"
    "ram: 1M\n"
    "expires: 90d\n"
    "sign_command: [sign, '$$1', '${OTA_T_NONE:-none}']\n"
    "releases:\n"
    "  - <<: [*common, {label: l, hardware: 9, ram: 99K}]\n"
    "    name: one\n"
    "    version: 7\n"
    "    hardware: 0\n"
    "    files:\n"
    "      - a.py\n"
    "      - {from: 'lib/**', to: ''}\n"
    "      - {from: fw.bin, slot: app}\n"
    "      - {from: 'site/{id}.json', to: site.json, mode: '755'}\n"
    "    delete: [old.py, lib/old.py]\n"
    "    devices:\n"
    "      - {id: '24:6f:28:aa:bb:cd', name: north, site: kew, bed: 4, no: "
    "''}\n"
    "      - '24:6F:28:AA:BB:CC'\n"
    "  - name: two\n"
    "    version: auto\n"
    "    label: 'gr\xc3\xbcn'\n"
    "    expires: never\n"
    "    files: [b]\n"
    "    devices: [{from: fleet.csv}, 2000.0000.0000.0001]\n";

static bool is(const struct config_text *t, const char *want, uint32_t line,
               uint32_t col)
{
    return t->text && strcmp(t->text, want) == 0 && t->mark.line == line &&
           t->mark.col == col;
}

static void test_top(const struct config *c)
{
    check(is(&c->key, "A.key", 4, 6), "key");
    check(is(&c->servers[0].url, "public/", 5, 9), "server");
    check(c->sign_command_count == 3 && is(&c->sign_command[1], "$1", 9, 22) &&
              is(&c->sign_command[2], "none", 9, 29),
          "sign_command");
    check(strcmp(c->path, "t.yml") == 0 && strcmp(c->dir, ".") == 0, "path");
    check(c->release_count == 2 && c->device_count == 4, "counts");
}

static void test_release_one(const struct config *c)
{
    const struct config_release *r = &c->releases[0];
    const struct config_file *f = r->files;

    check(is(&r->name, "one", 12, 11) && r->selected, "name");
    check(r->version == 7 && r->version_mark.line == 13, "version");
    check(is(&r->label, "l", 11, 27), "a merged label");
    check(r->hardware == 0, "its own hardware, not the top's or a merged one");
    check(r->ram == 16384 && r->ram_mark.line == 2,
          "the earlier one of two merged");
    check(r->expires == 90 * 86400, "the top's expires");
    check(r->exclude_count == 1 && is(&r->exclude[0], "*.bak", 3, 13),
          "exclude");
    check(r->delete_count == 2 && is(&r->deletes[1], "lib/old.py", 20, 22),
          "delete");
    check(r->file_count == 4, "four files");
    check(is(&f[0].from, "a.py", 16, 9) && !f[0].to.text && !f[0].slot.text &&
              f[0].mode == 0644,
          "a path");
    check(is(&f[1].from, "lib/**", 17, 16) && is(&f[1].to, "", 17, 30),
          "a pattern into the root");
    check(is(&f[2].slot, "app", 18, 30) && f[2].mode == 0, "a slot");
    check(is(&f[3].from, "site/{id}.json", 19, 16) && f[3].mode == 0755,
          "a mode");
}

static void test_release_two(const struct config *c)
{
    const struct config_release *r = &c->releases[1];

    check(r->version == 0 && r->version_mark.line == 25, "auto");
    check(is(&r->label, "gr\xc3\xbcn", 26, 12), "a label");
    check(r->expires == 0 && r->hardware == 3 && r->ram == 1 << 20,
          "never; the top's hardware and ram");
    check(r->ram_mark.line == 7, "whose place is at the top");
}

static void test_devices(const struct config *c)
{
    const struct device *d = c->devices;
    char hex[DEVICE_HEX];

    check(d[0].release == 0 && d[1].release == 0 && d[2].release == 1 &&
              d[3].release == 1,
          "devices by release");
    check(strcmp(d[0].name, "north") == 0 && !d[1].name &&
              strcmp(d[2].name, "one") == 0,
          "names");
    check(strcmp(device_value(&d[0], "site", 4, hex), "kew") == 0 &&
              strcmp(device_value(&d[0], "bed", 3, hex), "4") == 0 &&
              !device_value(&d[0], "no", 2, hex),
          "values, but for empty ones");
    check(strcmp(device_value(&d[0], "id", 2, hex), "246f28aabbcd") == 0,
          "the id");
    check(d[0].mark.line == 22 && d[0].mark.col == 14 && d[1].mark.line == 23 &&
              d[1].mark.col == 9 &&
              strcmp(d[2].mark.source->name, "fleet.csv") == 0 &&
              d[2].mark.line == 2,
          "places");
    check(d[3].id.len == 8, "an EUI-64");
}

/* Words, the devices (by index) that they select, and what is said. */
static const struct select_case {
    const char *words[4];
    const char *selected, *want;
} select_cases[] = {
    {{NULL}, "0123", ""},
    {{"one"}, "01", ""}, /* a release, not the device of that name */
    {{"two"}, "23", ""},
    {{"north"}, "0", ""},
    {{"24-6f-28-aa-bb-cc", "200000000000:"},
     "1",
     "error: '200000000000:' is not how an id is written: that would be "
     "'20:00:00:00:00:00'\n"},
    {{"2000000000000001", "north", "north"}, "03", ""},
    {{"nroth"},
     "",
     "error: no release or device 'nroth' in 't.yml' (did you mean "
     "'north'?)\n"},
    {{"tow", "000000000002"},
     "",
     "error: no release or device 'tow' in 't.yml' (did you mean 'two'?)\n"
     "error: device '000000000002' is not in 't.yml'\n"},
    {{""}, "", "error: no release or device '' in 't.yml'\n"},
};

static void test_select(struct config *c)
{
    for (size_t i = 0; i < sizeof select_cases / sizeof select_cases[0]; i++) {
        const struct select_case *s = &select_cases[i];
        char got[5] = "", *words[4];
        size_t count = 0;
        int r;

        for (; count < 4 && s->words[count]; count++)
            words[count] = (char *)(uintptr_t)s->words[count];
        said[0] = '\0';
        diag_reset();
        r = config_select(c, words, count);
        for (size_t d = 0; d < c->device_count; d++)
            if (c->devices[d].selected)
                got[strlen(got)] = (char)('0' + d);
        check(r == (*s->want ? -1 : 0) && strcmp(said, s->want) == 0 &&
                  strcmp(got, s->selected) == 0 &&
                  diag_status() == (*s->want ? DIAG_USAGE : 0),
              "select %s: %s", count ? words[0] : "nothing", got);
        check(c->releases[0].selected == (strpbrk(got, "01") != NULL) &&
                  c->releases[1].selected == (strpbrk(got, "23") != NULL),
              "and the releases of these");
    }
}

static void test_model(void)
{
    struct config *c = parse(model);

    if (!check(c && !*said, "the model loads"))
        printf("# %s", said);
    if (!c)
        return;
    test_top(c);
    test_release_one(c);
    test_release_two(c);
    test_devices(c);
    test_select(c);
    config_free(c);
}

/* ---- bounds */

static void test_alias_budget(void)
{
    char yaml[4096] = "x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n";
    size_t len = strlen(yaml);

    for (unsigned i = 1; i < 9; i++)
        len += (size_t)snprintf(
            yaml + len, sizeof yaml - len,
            "x%u: &x%u [*x%u, *x%u, *x%u, *x%u, *x%u, *x%u, *x%u, *x%u]\n", i,
            i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    check(!parse(yaml) &&
              strstr(said, "aliases stand for more than 1000000 values"),
          "a billion laughs are refused");
}

static void test_keys_are_not_quadratic(void)
{
    size_t len = 0, room = 4 << 20;
    char *yaml = malloc(room);
    struct config *c;

    len += (size_t)snprintf(yaml, room, "key: k\n");
    for (unsigned i = 0; i < 100000; i++)
        len += (size_t)snprintf(yaml + len, room - len, "x-%06u: 1\n", i);
    snprintf(yaml + len, room - len, "x-000000: 2\n" GOOD);
    c = parse(yaml);
    check(c && strcmp(said, "100002:1: error: duplicate key 'x-000000'\n"
                            "2:1: note: the previous one is here\n") == 0,
          "100,000 keys and one twice");
    config_free(c);
    free(yaml);
}

static void test_long_value(void)
{
    char yaml[8192] = "key: ";
    struct config *c;

    memset(yaml + 5, 'a', 4097);
    memcpy(yaml + 5 + 4097, "\n" GOOD, sizeof GOOD + 1);
    c = parse(yaml);
    check(strcmp(said, "1:6: error: 'key' is longer than 4096 bytes\n") == 0,
          "a value of 4097 bytes");
    config_free(c);
}

/* ---- files on disk */

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (f) {
        fputs(text, f);
        fclose(f);
    }
}

static bool resolves(const struct config *c, const char *path, const char *want)
{
    char *got = config_resolve(c, path);
    bool same = got && strcmp(got, want) == 0;

    free(got);
    return same;
}

static void test_disk(void)
{
    char dir[] = "/tmp/ota-pack-config.XXXXXX";
    struct config *c;

    if (!check(mkdtemp(dir) && chdir(dir) == 0, "a scratch folder"))
        return;
    mkdir("sub", 0755);
    write_file("sub/t.yml", TOP FILES "  devices: [{from: f.csv}]\n");
    write_file("sub/f.csv", "id\n000000000001\n00000000000x\n");
    said[0] = '\0';
    diag_reset();
    check(config_load("sub/t.yml", &c) == 0 && c->device_count == 1,
          "a configuration in a folder");
    check(strcmp(said, "sub/f.csv:3:1: error: '00000000000x' is not a device "
                       "id: 6 or 8 pairs of hex digits, like "
                       "24:6f:28:aa:bb:cc\n") == 0,
          "and the list beside it");
    check(strcmp(c->dir, "sub") == 0 && resolves(c, "a/b", "sub/a/b") &&
              resolves(c, "/a", "/a"),
          "what paths are relative to");
    config_free(c);
    c = parse(KEY GOOD);
    check(resolves(c, "a/b", "a/b"), "without a folder: as they are");
    config_free(c);
    said[0] = '\0';
    diag_reset();
    check(config_load("none.yml", &c) == -1 && !c &&
              diag_status() == DIAG_CONFIG &&
              strcmp(said, "error: cannot read 'none.yml': No such file or "
                           "directory ('ota-pack init' writes one, -c names "
                           "another)\n") == 0,
          "no configuration");
    said[0] = '\0';
    check(config_load("sub", &c) == -1 && !c &&
              strcmp(said, "error: cannot read 'sub': Is a directory\n") == 0,
          "a folder for a configuration");
    unlink("sub/t.yml");
    unlink("sub/f.csv");
    rmdir("sub");
    check(chdir("/") == 0 && rmdir(dir) == 0, "nothing is left");
}

int main(void)
{
    setenv("OTA_T_A", "A", 1);
    setenv("OTA_T_EMPTY", "", 1);
    setenv("OTA_T_BELL", "\a", 1);
    setenv("OTA_T_LATIN", "\xe4", 1);
    setenv("OTA_T_DOLLAR", "${OTA_T_NONE}", 1);
    setenv("OTA_T_YAML", "{a: b}", 1);
    unsetenv("OTA_T_NONE");
    diag_set_handler(keep, NULL);
    test_wrong();
    test_model();
    test_alias_budget();
    test_keys_are_not_quadratic();
    test_long_value();
    test_disk();
    return tap_done();
}
