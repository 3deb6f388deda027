// SPDX-License-Identifier: Apache-2.0
#include "gemm.h"

#include <atomic>
#include <cstdio>
#include <mutex>

#include "error.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace attn4j {
namespace {

#if defined(_WIN32)
constexpr const char* kUsualName = "libopenblas.dll";
#elif defined(__APPLE__)
constexpr const char* kUsualName = "libopenblas.0.dylib";
#else
constexpr const char* kUsualName = "libopenblas.so.0";
#endif

// The values of the C interface of BLAS.
constexpr int kRowMajor = 101, kNoTranspose = 111, kTranspose = 112;

struct OpenBlas {
    void (*sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                  const float* b, int ldb, float beta, float* c, int ldc);
    void (*set_num_threads)(int threads);
    char* (*config)();
    char* (*corename)();
    char description[256];
};

std::mutex opening;
std::atomic<const OpenBlas*> opened{nullptr};

void* symbol(void* library, const char* name) {
#if defined(_WIN32)
    return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
#else
    return dlsym(library, name);
#endif
}

void* open_library(const char* path) {
#if defined(_WIN32)
    void* library = LoadLibraryA(path);
    if (library == nullptr)
        fail(ATTN4J_UNSUPPORTED, "OpenBLAS cannot be opened: path=%.200s error=%lu", path, GetLastError());
#else
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) fail(ATTN4J_UNSUPPORTED, "OpenBLAS cannot be opened: %.400s", dlerror());
#endif
    return library;
}

template <typename Function>
void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(symbol(library, name));
    if (function == nullptr) fail(ATTN4J_UNSUPPORTED, "this OpenBLAS lacks a function: name=%s", name);
}

}  // namespace

void open_openblas(const char* path) {
    std::lock_guard<std::mutex> lock(opening);
    if (opened.load(std::memory_order_relaxed) != nullptr) return;
    // Never closed again: its threads and buffers outlive any moment at which that would be safe.
    static OpenBlas blas;
    void* library = open_library(path == nullptr ? kUsualName : path);
    find(library, "cblas_sgemm", blas.sgemm);
    find(library, "openblas_set_num_threads", blas.set_num_threads);
    find(library, "openblas_get_config", blas.config);
    find(library, "openblas_get_corename", blas.corename);
    blas.set_num_threads(1);
    std::snprintf(blas.description, sizeof blas.description, "%s, core %s", blas.config(), blas.corename());
    opened.store(&blas, std::memory_order_release);
}

void require_openblas() {
    if (opened.load(std::memory_order_acquire) == nullptr) open_openblas(nullptr);
}

const char* openblas_config() {
    const OpenBlas* blas = opened.load(std::memory_order_acquire);
    return blas == nullptr ? "" : blas->description;
}

void sgemm(bool b_transposed, int64_t m, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b,
           int64_t b_stride, float* c, int64_t c_stride) {
    opened.load(std::memory_order_acquire)
        ->sgemm(kRowMajor, kNoTranspose, b_transposed ? kTranspose : kNoTranspose, static_cast<int>(m),
                static_cast<int>(n), static_cast<int>(k), 1.0f, a, static_cast<int>(a_stride), b,
                static_cast<int>(b_stride), 0.0f, c, static_cast<int>(c_stride));
}

}  // namespace attn4j
