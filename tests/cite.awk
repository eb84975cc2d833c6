# What a comment, a script or a text cites is here: a page of man/, alone or
# with sections of it, as in ota-install(7), Space and Rules, with a capital,
# and items by their numbers, as in ota-install(7), Steps 8 to 10; or a text,
# as README.md.  In a page: what it refers to by .Xr and .Sx.
# All that there is to be cited are arguments, the pages first.
BEGIN {
    for (i = 1; i < ARGC; i++) here[ARGV[i]] = 1
    number = "[0-9]+(, [0-9]+| to [0-9]+| and [0-9]+)*"
}
function bad(what) { printf "%s:%d: %s\n", name, line, what; failed = 1 }

# -- pages
function begin_page(    n, part) {
    n = split(name, part, /[\/.]/)
    page = substr(name, 5, length(name) - 6) "(" part[n] ")"
    pages[page] = 1
}
function read_page(text,    word) {
    split(text, word, / /)
    if (text ~ /^\.S[hs] /) {
        title = tolower(substr(text, 5))
        sections[page, title] = 1
    } else if (text ~ /^\.It [0-9]+$/)
        items[page, title, word[2]] = 1
    else if (text ~ /^\..*Xr ota-/) {
        sub(/.*Xr /, "", text)
        split(text, word, / /)
        note(word[1] "(" word[2] ")")
    } else if (sub(/^\.(Pq |see )*Sx /, "", text)) {
        sub(/ [.,:;?]$/, "", text)
        note(page ", " toupper(substr(text, 1, 1)) substr(text, 2))
    }
}
# For when all pages are read.
function note(cited) {
    later[++noted] = cited
    later_name[noted] = name
    later_line[noted] = FNR
}

# -- citations
# The longest section of the page that `text` begins with, or "".
function section_of(cited, text,    best, s, part, n) {
    best = ""
    for (s in sections) {
        split(s, part, SUBSEP)
        n = length(part[2])
        if (part[1] == cited && n > length(best) &&
            tolower(substr(text, 1, n)) == part[2] &&
            substr(text, n + 1, 1) !~ /[A-Za-z0-9-]/) best = part[2]
    }
    return best
}
function check_items(cited, section, text,    n, list) {
    for (n = split(text, list, /[^0-9]+/); n > 0; n--)
        if (list[n] != "" && !((cited, section, list[n]) in items))
            bad(cited ", " section " has no " list[n])
}
function check_section(cited, text,    section, rest) {
    section = section_of(cited, text)
    rest = substr(text, length(section) + 1)
    if (section != "" && match(rest, "^ " number)) {
        check_items(cited, section, substr(rest, 2, RLENGTH - 1))
        rest = substr(rest, RLENGTH + 1)
    }
    if (section == "" || rest ~ /^ *[^] .,:;?)}'\\*]/ && rest !~ /^ and [A-Z]/)
        bad(cited " has no section '" substr(text, 1, 30) "...'")
    else if (rest ~ /^ and [A-Z]/)
        check_section(cited, substr(rest, 6))
}
function check_page(cited, rest) {
    count++
    if (!(cited in pages)) bad("there is no " cited)
    else if (rest ~ /^, [A-Z]/) check_section(cited, substr(rest, 3))
}
function check_file(cited,    folder) {
    count++
    folder = name
    sub(/[^\/]*$/, "", folder)
    sub(/^(top)?\//, "", cited) # $top is where we are, in tests
    if (!(cited in here) && !((folder cited) in here)) bad("there is no " cited)
}

# -- what cites
# Without what marks a comment, a text and bold words.
function plain(text) {
    sub(/^[ \t]*(\/?\*+|#+|")?[ \t]*/, "", text)
    sub(/[ \t]*\*\/.*/, ".", text)
    gsub(/\*\*|"/, "", text)
    return text
}
# A citation begins in this line and may go on in the next ones.
function check_line(    own, text, at, end) {
    own = plain(lines[line])
    text = own " " plain(lines[line + 1]) " " plain(lines[line + 2])
    for (at = 1; match(substr(text, at), /ota-[a-z.-]+\([0-9]\)/); at = end) {
        end = at + RSTART + RLENGTH - 1
        if (at + RSTART - 1 > length(own)) break
        check_page(substr(text, at + RSTART - 1, RLENGTH), substr(text, end))
    }
    while (match(own, /[A-Za-z0-9_.\/-]*[A-Za-z0-9_-]\.md/)) {
        text = substr(own, RSTART, RLENGTH)
        own = substr(own, RSTART + RLENGTH)
        if (own !~ /^[A-Za-z0-9_]/) check_file(text)
    }
}
function check_lines() {
    for (line = 1; line <= total; line++)
        if (lines[line] ~ /ota-[a-z.-]+\([0-9]|\.md/) check_line()
    total = 0
}

FNR == 1 {
    check_lines()
    name = FILENAME
    if (name ~ /^man\//) begin_page()
}
name ~ /^man\// { read_page($0); next }
{ lines[total = FNR] = $0; lines[FNR + 1] = lines[FNR + 2] = "" }
END {
    check_lines()
    for (i = 1; i <= noted; i++) {
        name = later_name[i]
        line = later_line[i]
        match(later[i], /\)/)
        check_page(substr(later[i], 1, RSTART), substr(later[i], RSTART + 1))
    }
    if (!count) bad("no citation was found")
    printf "citations: %d of pages and texts that are here\n", count
    exit failed
}
