// SPDX-License-Identifier: Apache-2.0
// The layers' rules, each broken once: the status, a message that holds the values and the rule, and nothing written.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "attn4j/attn4j.h"
#include "environment.h"
#include "expect_refused.h"
#include "tensor.h"

namespace {

// Arguments of any layer, right at first: x, residual and out are [4, 6], the weight [6, 6], vectors [6].
struct Arguments {
    const float *x, *residual, *weight, *gamma, *beta;
    float* out;
    int64_t x_stride = 6, residual_stride = 6, weight_stride = 6, out_stride = 6, rows = 4, width = 6, out_width = 6,
            table_rows = 6, group = 1;
    const int32_t* ids;
    const int64_t* cu;
    double epsilon = 1e-5;
    attn4j_activation activation = ATTN4J_GELU;
    attn4j_weight_layout layout = ATTN4J_OUT_IN;
    attn4j_isa isa = ATTN4J_ISA_DEFAULT;
    int32_t threads = 0;
};

struct Layer {
    const char* name;
    attn4j_status (*call)(const Arguments& a);
    bool has_residual, has_epsilon, has_activation;
    const char* x_name;
    const char* residual_name;
};

const Layer kLinear = {"linear",
                       [](const Arguments& a) {
                           return attn4j_linear(a.x, a.x_stride, a.weight, a.weight_stride, a.layout, a.gamma,
                                                a.residual, a.residual_stride, a.out, a.out_stride, a.rows, a.width,
                                                a.out_width, a.activation, a.isa, a.threads);
                       },
                       true,
                       false,
                       true,
                       "x",
                       "residual"};
const Layer kLayerNorm = {"layer_norm",
                          [](const Arguments& a) {
                              return attn4j_layer_norm(a.x, a.x_stride, a.residual, a.residual_stride, a.gamma, a.beta,
                                                       a.epsilon, a.out, a.out_stride, a.rows, a.width, a.isa,
                                                       a.threads);
                          },
                          true,
                          true,
                          false,
                          "x",
                          "residual"};
const Layer kActivate = {"activate",
                         [](const Arguments& a) {
                             return attn4j_activate(a.activation, a.x, a.x_stride, a.out, a.out_stride, a.rows, a.width,
                                                    a.isa, a.threads);
                         },
                         false,
                         false,
                         true,
                         "x",
                         ""};
const Layer kAdd = {"add",
                    [](const Arguments& a) {
                        return attn4j_add(a.x, a.x_stride, a.residual, a.residual_stride, a.out, a.out_stride, a.rows,
                                          a.width, a.isa, a.threads);
                    },
                    true,
                    false,
                    false,
                    "a",
                    "b"};
const Layer kNormalize = {"normalize",
                          [](const Arguments& a) {
                              return attn4j_normalize(a.x, a.x_stride, a.epsilon, a.out, a.out_stride, a.rows, a.width,
                                                      a.isa, a.threads);
                          },
                          false,
                          true,
                          false,
                          "x",
                          ""};
const Layer kEmbed = {"embed",
                      [](const Arguments& a) {
                          return attn4j_embed(a.x, a.table_rows, a.x_stride, a.ids, a.out, a.out_stride, a.rows,
                                              a.width, 0, a.isa, a.threads);
                      },
                      false,
                      false,
                      false,
                      "table",
                      ""};
const Layer kMeanPool = {"mean_pool",
                         [](const Arguments& a) {
                             return attn4j_mean_pool(a.x, a.x_stride, a.cu, a.rows, a.out, a.out_stride, a.width, a.isa,
                                                     a.threads);
                         },
                         false,
                         false,
                         false,
                         "x",
                         ""};

const Layer kRmsNorm = {"rms_norm",
                        [](const Arguments& a) {
                            return attn4j_rms_norm(a.x, a.x_stride, a.gamma, a.epsilon, a.out, a.out_stride, a.rows,
                                                   a.width, a.isa, a.threads);
                        },
                        false,
                        true,
                        false,
                        "x",
                        ""};
const Layer kGate = {"gate",
                     [](const Arguments& a) {
                         return attn4j_gate(a.x, a.x_stride, a.residual, a.residual_stride, a.group, a.out,
                                            a.out_stride, a.rows, a.width, a.isa, a.threads);
                     },
                     true,
                     false,
                     false,
                     "x",
                     "gate"};
const Layer kSwiglu = {"swiglu",
                       [](const Arguments& a) {
                           return attn4j_swiglu(a.residual, a.residual_stride, a.x, a.x_stride, a.out, a.out_stride,
                                                a.rows, a.width, a.isa, a.threads);
                       },
                       true,
                       false,
                       false,
                       "up",
                       "gate"};

class LayerErrors : public testing::Test {
protected:
    void SetUp() override {
        for (const Tensor& t : {x, residual, weight, gamma, beta}) t.fill(1);
    }
    void TearDown() override { EXPECT_TRUE(out.untouched()); }

    Arguments good() const {
        Arguments a;
        a.x = x.data();
        a.residual = residual.data();
        a.weight = weight.data();
        a.gamma = gamma.data();
        a.beta = beta.data();
        a.out = out.data();
        a.ids = ids;
        a.cu = cu;
        return a;
    }
    void refuse(const Layer& layer, const std::function<void(Arguments&)>& spoil,
                std::initializer_list<const char*> parts) const {
        SCOPED_TRACE(layer.name);
        Arguments a = good();
        spoil(a);
        EXPECT_REFUSED(layer.call(a), ATTN4J_INVALID_ARGUMENT, parts);
    }

    const Tensor x = Tensor::matrix(6, 6, 6), residual = Tensor::matrix(4, 6, 6), weight = Tensor::matrix(6, 6, 6),
                 gamma = Tensor::vector(6), beta = Tensor::vector(6), out = Tensor::matrix(4, 6, 6);
    const int32_t ids[4] = {0, 5, 2, 5};
    const int64_t cu[5] = {0, 1, 2, 4, 6};
};

TEST_F(LayerErrors, RulesOfAllLayers) {
    for (const Layer& layer : {kLinear, kLayerNorm, kActivate, kAdd, kNormalize, kEmbed, kMeanPool, kRmsNorm, kGate}) {
        const bool counts_batch = layer.call == kMeanPool.call, counts_features = layer.call == kLinear.call;
        const std::string null_x = std::string(layer.x_name) + " must not be null",
                          short_x =
                              std::string("the row stride of ") + layer.x_name + " must not be less than its width",
                          over_x = std::string("out must not overlap ") + layer.x_name;
        refuse(layer, [](Arguments& a) { a.rows = -1; },
               {counts_batch ? "batch must be at least 0: batch=-1" : "rows must be at least 0: rows=-1"});
        refuse(layer, [](Arguments& a) { a.width = 0; },
               {counts_features ? "inFeatures must be at least 1: inFeatures=0" : "width must be at least 1: width=0"});
        refuse(layer, [](Arguments& a) { a.threads = -2; }, {"threads must not be negative", "threads=-2"});
        refuse(layer, [](Arguments& a) { a.isa = static_cast<attn4j_isa>(8); }, {"isa must be 0 to 7", "isa=8"});
        refuse(layer, [](Arguments& a) { a.x = nullptr; }, {null_x.c_str(), "=null"});
        refuse(layer, [](Arguments& a) { a.out = nullptr; }, {"out must not be null"});
        refuse(layer, [](Arguments& a) { a.x_stride = 5; }, {short_x.c_str(), "stride=5", "width=6"});
        refuse(layer, [](Arguments& a) { a.x_stride = -6; }, {"stride=-6"});
        refuse(layer, [](Arguments& a) { a.out_stride = 5; }, {"the row stride of out", "stride=5", "width=6"});
        refuse(layer, [&](Arguments& a) { a.out = const_cast<float*>(a.x) + 1; }, {over_x.c_str(), "bytes"});
        if (counts_features) continue;  // its own limit comes first
        refuse(layer, [](Arguments& a) { a.out_stride = INT64_MAX; }, {"out must fit into memory"});
        refuse(layer, [](Arguments& a) { a.x_stride = INT64_MAX / 4; }, {"must fit into memory"});
    }
}

TEST_F(LayerErrors, ResidualsEpsilonsActivations) {
    for (const Layer& layer : {kLinear, kLayerNorm, kActivate, kAdd, kNormalize, kRmsNorm, kGate}) {
        if (layer.has_residual) {
            const std::string short_row = std::string("the row stride of ") + layer.residual_name,
                              over = std::string("out must not overlap ") + layer.residual_name;
            refuse(layer, [](Arguments& a) { a.residual_stride = 4; }, {short_row.c_str(), "stride=4", "width=6"});
            refuse(layer, [](Arguments& a) { a.out = const_cast<float*>(a.residual) + 23; }, {over.c_str()});
        }
        if (layer.has_epsilon)
            for (const double epsilon : {-1e-9, double{NAN}, double{INFINITY}, 1e39})
                refuse(layer, [&](Arguments& a) { a.epsilon = epsilon; },
                       {"epsilon must be finite and not negative", "epsilon="});
        if (layer.has_activation)
            refuse(layer, [](Arguments& a) { a.activation = static_cast<attn4j_activation>(2); },
                   {"activation must be 0 or 1", "activation=2"});
    }
    refuse(kAdd, [](Arguments& a) { a.residual = nullptr; }, {"b must not be null", "b=null"});
}

TEST_F(LayerErrors, Linear) {
    refuse(kLinear, [](Arguments& a) { a.out_width = 0; }, {"outFeatures must be at least 1", "outFeatures=0"});
    refuse(kLinear, [](Arguments& a) { a.layout = static_cast<attn4j_weight_layout>(2); },
           {"layout must be 0 or 1", "layout=2"});
    refuse(kLinear, [](Arguments& a) { a.weight = nullptr; }, {"weight must not be null"});
    refuse(kLinear, [](Arguments& a) { a.weight_stride = 5; }, {"the row stride of weight", "stride=5", "width=6"});
    refuse(kLinear, [](Arguments& a) { a.rows = int64_t{1} << 31; }, {"below 2^31", "size=2147483648"});
    refuse(kLinear, [](Arguments& a) { a.x_stride = int64_t{1} << 32; }, {"below 2^31", "size=4294967296"});
    refuse(kLinear, [](Arguments& a) { a.out = const_cast<float*>(a.weight) + 35; }, {"out must not overlap weight"});
    refuse(kLinear, [](Arguments& a) { a.out = const_cast<float*>(a.gamma); }, {"out must not overlap bias"});
    // Not even exactly over each other: the product is written before the rest is read.
    refuse(kLinear, [](Arguments& a) { a.out = const_cast<float*>(a.x); }, {"out must not overlap x"});
    refuse(kLinear, [](Arguments& a) { a.out = const_cast<float*>(a.residual); }, {"out must not overlap residual"});
}

TEST_F(LayerErrors, LayerNorm) {
    refuse(kLayerNorm, [](Arguments& a) { a.gamma = nullptr; }, {"gamma must not be null"});
    refuse(kLayerNorm, [](Arguments& a) { a.beta = nullptr; }, {"beta must not be null"});
    refuse(kLayerNorm, [](Arguments& a) { a.out = const_cast<float*>(a.gamma); }, {"out must not overlap gamma"});
    refuse(kLayerNorm, [](Arguments& a) { a.out = const_cast<float*>(a.beta); }, {"out must not overlap beta"});
    // The same address, another stride: rows would be read after they are written.
    refuse(kLayerNorm, [](Arguments& a) { a.out = const_cast<float*>(a.x), a.out_stride = 7; },
           {"out must not overlap x"});
}

TEST_F(LayerErrors, RmsNorm) {
    refuse(kRmsNorm, [](Arguments& a) { a.gamma = nullptr; }, {"gamma must not be null"});
    refuse(kRmsNorm, [](Arguments& a) { a.out = const_cast<float*>(a.gamma); }, {"out must not overlap gamma"});
}

TEST_F(LayerErrors, Gate) {
    refuse(kGate, [](Arguments& a) { a.group = 0; }, {"group must be at least 1", "group=0"});
    refuse(kGate, [](Arguments& a) { a.group = 4; }, {"group must divide width", "group=4 width=6"});
    refuse(kGate, [](Arguments& a) { a.residual = nullptr; }, {"gate must not be null"});
    // A gate of heads is narrower than out: over each other it would be overwritten before it is read.
    refuse(kGate, [](Arguments& a) { a.group = 3, a.out = const_cast<float*>(a.residual); },
           {"out must not overlap gate"});
}

TEST_F(LayerErrors, Swiglu) {
    refuse(kSwiglu, [](Arguments& a) { a.residual = nullptr; }, {"gate must not be null"});
    refuse(kSwiglu, [](Arguments& a) { a.x = nullptr; }, {"up must not be null"});
}

TEST_F(LayerErrors, Embed) {
    const int32_t large[] = {0, 1, 6, 0}, negative[] = {0, -1, 0, 0};
    refuse(kEmbed, [](Arguments& a) { a.ids = nullptr; }, {"ids must not be null", "rows=4"});
    refuse(kEmbed, [](Arguments& a) { a.table_rows = 0; }, {"tableRows must be at least 1", "tableRows=0"});
    refuse(kEmbed, [&](Arguments& a) { a.ids = large; },
           {"ids must lie between 0 and the table's rows - 1", "ids[2]=6", "rows=6"});
    refuse(kEmbed, [&](Arguments& a) { a.ids = negative; }, {"ids[1]=-1"});
    int32_t within_out[4 + 24] = {};
    refuse(kEmbed, [&](Arguments& a) { a.out = reinterpret_cast<float*>(within_out), a.ids = within_out + 2; },
           {"out must not overlap ids"});
}

TEST_F(LayerErrors, MeanPool) {
    const int64_t late[] = {1, 2, 3, 4, 5}, falling[] = {0, 2, 1, 4, 5};
    refuse(kMeanPool, [](Arguments& a) { a.cu = nullptr; }, {"cumulative lengths must be given", "cu=null"});
    refuse(kMeanPool, [&](Arguments& a) { a.cu = late; }, {"cu must begin with 0", "cu[0]=1"});
    refuse(kMeanPool, [&](Arguments& a) { a.cu = falling; }, {"cu must not decrease", "cu[1]=2", "cu[2]=1"});
}

TEST_F(LayerErrors, NoRowsNeedNothing) {
    for (const Layer& layer : {kLinear, kLayerNorm, kActivate, kNormalize, kEmbed, kMeanPool, kRmsNorm, kGate}) {
        Arguments a = good();
        a.rows = 0;
        a.x = a.residual = a.weight = a.gamma = a.beta = nullptr;
        a.out = nullptr;
        a.ids = nullptr;
        a.cu = nullptr;
        EXPECT_EQ(layer.call(a), ATTN4J_OK) << layer.name << ": " << attn4j_error_message();
    }
}

}  // namespace
