# The tests under sanitizers, and the fuzzers; each in a folder of its own.
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all \
           -fno-omit-frame-pointer
FUZZ_SECONDS ?= 60
FUZZERS = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN = $(FUZZERS:%=$(BUILD)/fuzzer/%)
FUZZ_EACH = $(shell expr $(FUZZ_SECONDS) / $(words $(FUZZERS)))

asan: ## all tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@sh tests/deps.sh check
	+@$(PARMAKE) BUILD=$(BUILD)/asan \
	    CFLAGS='-O1 -g $(SANITIZE)' programs
	+@$(SUBMAKE) BUILD=$(BUILD)/asan prove

fuzz: ## libFuzzer, FUZZ_SECONDS (60) shared by the fuzzers
	@sh tests/deps.sh build fuzz
	+@$(PARMAKE) BUILD=$(BUILD)/fuzz CC=clang \
	    CFLAGS='-O1 -g -fsanitize=fuzzer-no-link $(SANITIZE)' fuzz-run

# What a fuzzer finds goes to build/fuzz/corpus; tests/fuzz/corpus only feeds it.
fuzz-run: $(FUZZ_BIN)
	@for f in $(FUZZERS); do \
	    new=$(BUILD)/corpus/$${f#fuzz_} log=$(BUILD)/$$f.log; mkdir -p $$new; \
	    echo "$$f: $(FUZZ_EACH) seconds"; \
	    $(BUILD)/fuzzer/$$f -max_total_time=$(FUZZ_EACH) -timeout=20 \
	        -rss_limit_mb=2048 -print_final_stats=1 \
	        -artifact_prefix=$(BUILD)/$$f- $$new tests/fuzz/corpus/$${f#fuzz_} \
	        >$$log 2>&1 || { tail -n 60 $$log; exit 1; }; \
	    grep -E 'stat::number_of_exec|#[0-9]+.DONE' $$log; \
	done

$(FUZZ_BIN): $(BUILD)/fuzzer/%: $(BUILD)/tests/fuzz/%.o \
    $(BUILD)/tests/fuzz/craft.o $(LIBS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LDLIBS_HOST)

.PHONY: asan fuzz fuzz-run
