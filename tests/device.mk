# The device's side: the agent for Linux boards, its tests, and the power cuts;
# included by the Makefile.
OBJ_AGENT = $(call obj,src/device/*.c src/device/agent/*.c)
LDLIBS_AGENT = -lcurl -lsodium -lz
AGENT = $(BUILD)/ota-agent $(BUILD)/tests/agent/httpd
AGENT_TESTS = $(sort $(wildcard tests/agent/*.t))

$(BUILD)/src/device/agent/%.o: CPPFLAGS += -DOTA_AGENT_VERSION='"$(VERSION)"'

$(BUILD)/ota-agent: $(OBJ_AGENT) $(BUILD)/libota-bundle.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(OBJ_AGENT) $(BUILD)/libota-bundle.a \
	    $(LDLIBS_AGENT)

$(BUILD)/tests/agent/httpd: $(BUILD)/tests/agent/httpd.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

# The installer in a simulated world, and over real file systems where their
# sources are there (tests/power/sources.sh).  POWER, REAL and large have a
# main, the rest is shared.
POWER_SOURCES ?= $(BUILD)/sources
export POWER_SOURCES
REAL_C = $(wildcard tests/power/lfs*.c tests/power/fat*.c)
REAL_DIR = $(POWER_SOURCES)/lib
REAL_THERE = $(wildcard $(REAL_DIR)/littlefs/lfs2.c)
REAL_CPP = -isystem $(REAL_DIR)/littlefs -isystem $(REAL_DIR)/oofatfs \
           -DFFCONF_H='"tests/power/ffconf.h"' -iquote .
POWER = $(addprefix $(BUILD)/tests/power/,cut damage fail limits program resume rules trial)
REAL = $(if $(REAL_THERE),$(addprefix $(BUILD)/tests/power/,lfs fat))
REAL_OBJ = $(REAL_C:%.c=$(BUILD)/%.o)
LARGE = $(BUILD)/tests/power/large
POWER_LIB = $(filter-out $(POWER:=.o) $(LARGE).o $(REAL_OBJ), \
                $(call obj,tests/power/*.c))

$(POWER) $(LARGE): $(BUILD)/%: $(BUILD)/%.o $(POWER_LIB) $(BUILD)/libota-bundle.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lsodium -lz

$(BUILD)/tests/power/lfs: $(BUILD)/tests/power/lfs_compare.o
$(BUILD)/tests/power/lfs: $(addprefix $(BUILD)/sources/,lfs2.o lfs2_util.o)
$(BUILD)/tests/power/fat: $(addprefix $(BUILD)/sources/,ff.o ffunicode.o)
$(REAL): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/%_world.o $(POWER_LIB) \
    $(BUILD)/libota-bundle.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lsodium -lz

$(REAL_OBJ): CPPFLAGS += $(REAL_CPP)

# not ours, so without our warnings
$(BUILD)/sources/%.o: $(REAL_DIR)/littlefs/%.c
	@mkdir -p $(@D)
	$(CC) $(REAL_CPP) -DLFS2_NO_DEBUG -DLFS2_NO_WARN -DLFS2_NO_ERROR \
	    $(filter-out -W% -fanalyzer,$(CFLAGS)) -w -c -o $@ $<

$(BUILD)/sources/%.o: $(REAL_DIR)/oofatfs/%.c tests/power/ffconf.h
	@mkdir -p $(@D)
	$(CC) $(REAL_CPP) $(filter-out -W% -fanalyzer,$(CFLAGS)) -w -c -o $@ $<

# Here, since make expands what a target depends on where it stands.
programs: $(POWER) $(LARGE) $(REAL) $(AGENT)

agent-check: $(AGENT) $(BUILD)/ota-pack ## the agent's tests alone
	@BUILD=$(BUILD) prove -j$(JOBS) $(AGENT_TESTS)

power-check: $(POWER) ## the power cuts alone
	@prove -j$(JOBS) $(POWER)

soak: ## tests at length: deeper, larger; power cuts over littlefs and FatFs
	@sh tests/deps.sh check soak
	@sh tests/power/sources.sh $(POWER_SOURCES) || true
	+@$(SUBMAKE) soak-run

# What the sources are needed for is known to a make that began after they came.
SOAK = $(addprefix $(BUILD)/tests/,power/cut power/fail power/program \
    unit/payload_own unit/property) $(LARGE) $(REAL)
soak-run:
	+@$(PARMAKE) $(SOAK)
	@prove -v -j$(JOBS) $(SOAK) $(if $(REAL),,tests/power/none.t) :: soak

.PHONY: agent-check power-check soak soak-run
