# Static checks.  Each is a target: `make lint-tidy` runs one of them.
C_ALL = $(wildcard src/*/*.c src/*/*/*.c tests/*/*.c)
H_ALL = $(wildcard include/ota/*.h src/*/*.h src/*/*/*.h tests/*/*.h)
SH_LIB = $(wildcard tests/cli/*.sh tests/agent/*.sh) \
         tests/servers/servers.sh tests/servers/scenario.sh \
         tests/servers/trouble.sh tests/servers/cuts.sh
SH_ALL = $(filter-out $(SH_LIB),$(wildcard tests/*.sh tests/*/*.sh tests/*/*.t)) \
         .ci/run
TEXT_ALL = $(wildcard *.md *.example Makefile tests/*.mk .clang-tidy)
LINT = lint-gcc lint-clang lint-tidy lint-cppcheck lint-format lint-shell \
       lint-man lint-spell lint-house lint-cite

lint: ## compilers with -Werror, analysers, formatting, house rules
	@sh tests/deps.sh build lint
	+@$(PARMAKE) -k --output-sync=target $(LINT)

# gcc 12 takes memory that is stored through a pointer for lost; LeakSanitizer
# looks for leaks in `make asan`.
lint-gcc:
	@echo 'gcc -Werror -fanalyzer'
	+@$(SUBMAKE) -s BUILD=$(BUILD)/lint-gcc CC=gcc programs \
	    CFLAGS='-O2 -g -Werror -fanalyzer -Wno-analyzer-malloc-leak -D_FORTIFY_SOURCE=2'

lint-clang:
	@echo 'clang -Werror'
	+@$(SUBMAKE) -s BUILD=$(BUILD)/lint-clang CC=clang CFLAGS='-O1 -Werror' \
	    programs

# A file that passed is not looked at again until it or a header changes.
# Those over real file systems only where there are headers for them.
TIDY_C = $(filter-out $(if $(REAL_THERE),,$(REAL_C)),$(C_ALL))
TIDY = $(TIDY_C:%.c=$(BUILD)/tidy/%.ok)
$(REAL_C:%.c=$(BUILD)/tidy/%.ok): CPP_REAL = $(REAL_CPP)
lint-tidy: $(TIDY)
	@echo 'clang-tidy: $(words $(TIDY)) files'

$(BUILD)/tidy/src/bundle/%.ok: src/bundle/%.c $(H_ALL) .clang-tidy tests/.clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(C_BUNDLE) 2>/dev/null && touch $@

$(BUILD)/tidy/%.ok: %.c $(H_ALL) .clang-tidy tests/.clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(C_HOST) $(CPP_REAL) 2>/dev/null && touch $@

lint-cppcheck:
	@echo cppcheck
	@mkdir -p $(BUILD)/cppcheck
	@cppcheck --quiet --error-exitcode=1 --inline-suppr -j$(JOBS) \
	    --cppcheck-build-dir=$(BUILD)/cppcheck --enable=warning,performance,portability \
	    --suppress=missingInclude --suppress=normalCheckLevelMaxBranches \
	    -D__GNUC__=12 $(CPP_HOST) src tests/fuzz tests/bench \
	    tests/power tests/agent

lint-format:
	@echo clang-format
	@clang-format --dry-run -Werror $(C_ALL) $(H_ALL)

lint-shell:
	@echo shellcheck
	@shellcheck -S warning -x -P SCRIPTDIR $(SH_ALL)
	@shellcheck -S warning -e SC2034,SC2154 $(SH_LIB) # sourced by others

lint-man:
	@echo mandoc
	@mandoc -Tlint -Wwarning $(wildcard man/*.[1357])
	@! grep -L '^\.Os ota-pack $(VERSION)$$' $(wildcard man/*.[1357]) | grep .

# not tests/unit and tests/cli: they misspell on purpose
lint-spell:
	@echo codespell
	@codespell --ignore-words-list=nd,fo include src man tests/*.* \
	    tests/bench tests/demo tests/fuzz/*.c .ci/run $(TEXT_ALL)

lint-house:
	@LC_ALL=C awk -f tests/house.awk $(wildcard include/ota/*.h src/*/*.[ch] src/*/*/*.[ch])

seam: ## who includes and calls whom, what the device library asks for
	@sh tests/deps.sh build
	+@$(SUBMAKE) -s BUILD=$(BUILD)/seam $(BUILD)/seam/libota-bundle.a \
	    CFLAGS='-O2 -fno-pie -fno-stack-protector -U_FORTIFY_SOURCE'
	+@$(PARMAKE) $(BUILD)/ota-pack
	@LIB=$(BUILD)/seam/libota-bundle.a OBJECTS=$(BUILD)/src sh tests/seam.sh

stack: ## how much stack the device library takes, on a Cortex-M3 and here
	@sh tests/deps.sh build
	@BUILD=$(BUILD) sh tests/stack.sh

.PHONY: lint seam stack $(filter-out lint-tidy,$(LINT)) lint-tidy
