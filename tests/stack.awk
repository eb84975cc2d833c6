# The deepest path of the device library's own frames, from what gcc says with
# -fcallgraph-info=su.  Frames of libraries and of the port do not count; a call
# through a pointer is one of the port, but for two: the reader calls its sink,
# the installer's sink_*; a pass over the journal calls one of each_*.
# LIMIT: bytes, above which it fails; 0: none.
function bad(what) { print "stack: " what >"/dev/stderr"; failed = 1 }

function text(place,    part, i, s) { # "FILE:LINE:COLUMN"
    if (place in known) return known[place]
    split(place, part, ":")
    for (i = 0; i < part[2]; i++)
        if ((getline s <part[1]) <= 0) s = ""
    close(part[1])
    return known[place] = s
}

function callees(f, place) { # of a call through a pointer
    if (place ~ /^src\/bundle\/(reader|record)\.c:/) return "sink_"
    if (place ~ /^src\/bundle\/swap_pass\.c:/ && text(place) ~ /each\(/)
        return "each_"
    return ""
}

/^node: / && / bytes \(/ {
    split($0, q, "\"")
    match($0, /[0-9]+ bytes \(/)
    frame[q[2]] = substr($0, RSTART, RLENGTH) + 0
    if ($0 ~ /\(dynamic\)/) bad(q[2] " has a frame without a bound")
    name = q[2]
    sub(/^.*:/, "", name)
    for (p in prefixes)
        if (index(name, p) == 1) family[p] = family[p] "\n" q[2]
}

/^edge: / {
    split($0, q, "\"")
    if (q[4] != "__indirect_call") calls[q[2]] = calls[q[2]] "\n" q[4]
    else if ((p = callees(q[2], q[6])) != "") calls[q[2]] = calls[q[2]] "\n" p
}

BEGIN { prefixes["sink_"]; prefixes["each_"] }

# Deepest from f on; path[f] says by which way.
function deepest(f,    list, n, i, d, best, way) {
    if (f in depth) return depth[f]
    if (f in busy) { bad("recursion through " f); return 0 }
    busy[f]
    n = split(calls[f], list, "\n")
    for (i = 2; i <= n; i++) {
        d = list[i] in prefixes ? of_family(list[i]) : \
            list[i] in frame ? deepest(list[i]) : 0
        if (d > best) {
            best = d
            way = list[i] in prefixes ? top[list[i]] : list[i]
        }
    }
    delete busy[f]
    path[f] = way
    return depth[f] = frame[f] + best
}

function of_family(p,    list, n, i, d, best) {
    n = split(family[p], list, "\n")
    for (i = 2; i <= n; i++) {
        d = deepest(list[i])
        if (d > best) { best = d; top[p] = list[i] }
    }
    return best
}

END {
    for (f in frame)
        if (deepest(f) > worst) { worst = depth[f]; at = f }
    printf "%d bytes of our own frames at most", worst
    if (LIMIT) printf " (limit %d)", LIMIT
    print ":"
    for (; at != ""; at = path[at]) {
        name = at
        sub(/^.*:/, "", name)
        printf "    %4d  %s\n", frame[at], name
    }
    if (!worst) bad("no frames were found")
    if (!("sink_" in family) || !("each_" in family)) bad("no callbacks were found")
    if (LIMIT && worst > LIMIT) bad("too deep")
    exit failed
}
