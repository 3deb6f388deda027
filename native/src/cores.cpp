// SPDX-License-Identifier: Apache-2.0
#include "cores.h"

#include <cmath>
#include <cstdio>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace attn4j {
namespace {

#if defined(__linux__)
// A core is counted at the first of its hyper-threads that is allowed.
int cores_of_affinity() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 0;
    int cores = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        char path[96];
        std::snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
        bool first = true;
        if (std::FILE* file = std::fopen(path, "r")) {
            // "0,32" or "0-1" or both mixed.
            int from;
            while (first && std::fscanf(file, "%d", &from) == 1) {
                int to = from, separator = std::fgetc(file);
                if (separator == '-') {
                    if (std::fscanf(file, "%d", &to) != 1) break;
                    separator = std::fgetc(file);
                }
                for (int sibling = from; sibling <= to && sibling < cpu; ++sibling)
                    if (sibling >= 0 && CPU_ISSET(sibling, &allowed)) first = false;
                if (separator != ',') break;
            }
            std::fclose(file);
        }
        cores += first;
    }
    return cores;
}

// Processors' worth of time that the control group grants, 0 if it sets no limit.
double cores_of_quota() {
    double quota = 0, period = 0;
    if (std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
        if (std::fscanf(file, "%lf %lf", &quota, &period) != 2) quota = 0;
        std::fclose(file);
    } else {
        std::FILE* quota_file = std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r");
        std::FILE* period_file = std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r");
        if (quota_file == nullptr || period_file == nullptr || std::fscanf(quota_file, "%lf", &quota) != 1 ||
            std::fscanf(period_file, "%lf", &period) != 1)
            quota = 0;
        if (quota_file != nullptr) std::fclose(quota_file);
        if (period_file != nullptr) std::fclose(period_file);
    }
    return quota > 0 && period > 0 ? quota / period : 0;
}
#endif

}  // namespace

int available_cores() {
    int cores = 0;
#if defined(__linux__)
    cores = cores_of_affinity();
    const double quota = cores_of_quota();
    if (quota > 0 && quota < cores) cores = static_cast<int>(std::ceil(quota));
#elif defined(__APPLE__)
    size_t size = sizeof cores;
    if (sysctlbyname("hw.physicalcpu", &cores, &size, nullptr, 0) != 0) cores = 0;
#endif
    if (cores < 1) cores = static_cast<int>(std::thread::hardware_concurrency());
    return cores < 1 ? 1 : cores;
}

}  // namespace attn4j
